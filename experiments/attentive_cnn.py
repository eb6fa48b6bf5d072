"""The attentive CNN on unseen speakers of RAVDESS or EmoDB; `sertf/papers/attentive_cnn.py` has its facts.

python experiments/attentive_cnn.py --corpus ravdess --data RAVDESS_FOLDER
"""

from sertf.experiment import main
from sertf.papers import attentive_cnn

if __name__ == "__main__":
    main(attentive_cnn.experiment("ravdess"), on=attentive_cnn.experiment, results="experiments/results")
