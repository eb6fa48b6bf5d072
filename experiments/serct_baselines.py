"""SERCT's baselines on the same waveforms, on EmoDB or another corpus.

python experiments/serct_baselines.py --data EMODB_FOLDER --repeats 3
"""

from sertf.experiment import main
from sertf.papers import serct

if __name__ == "__main__":
    main(serct.baselines("emodb"), on=serct.baselines, results="experiments/results")
