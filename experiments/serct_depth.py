"""SERCT with 1 to 6 transformer layers, on EmoDB or another corpus.

python experiments/serct_depth.py --data EMODB_FOLDER --repeats 3
"""

from sertf.experiment import main
from sertf.papers import serct

if __name__ == "__main__":
    main(serct.depth("emodb"), on=serct.depth, results="experiments/results")
