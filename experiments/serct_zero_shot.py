"""SERCT trained on one corpus and tested on others.

python experiments/serct_zero_shot.py --train ravdess --data ravdess=RAVDESS_FOLDER --data emodb=EMODB_FOLDER
"""

from sertf.experiment import main
from sertf.papers import serct

if __name__ == "__main__":
    main(serct.zero_shot("ravdess", ("emodb",)), between=serct.zero_shot, results="experiments/results")
