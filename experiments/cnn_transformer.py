"""CNN-Transformer with cross-attention on RAVDESS; `sertf/papers/cnn_transformer.py` has its facts.

python experiments/cnn_transformer.py --data RAVDESS_FOLDER --variant cpu --repeats 3
"""

from sertf.experiment import main
from sertf.papers import cnn_transformer

if __name__ == "__main__":
    main(cnn_transformer.experiment(), about=cnn_transformer.experiment.__doc__, results="experiments/results")
