"""Ridge regression on the attentive CNN, for unknown and known speakers; `sertf/papers/attentive_cnn.py` has its facts.

python experiments/attentive_cnn_ridge.py --corpus ravdess --data RAVDESS_FOLDER --variant base
"""

from sertf.experiment import main
from sertf.papers import attentive_cnn

if __name__ == "__main__":
    main(attentive_cnn.ridge("ravdess"), on=attentive_cnn.ridge, results="experiments/results")
