"""SERCT on TESS or another corpus; `sertf/papers/serct.py` has its facts.

python experiments/serct.py --corpus emodb --data EMODB_FOLDER --repeats 3
"""

from sertf.experiment import main
from sertf.papers import serct

if __name__ == "__main__":
    main(serct.experiment("tess"), on=serct.experiment, results="experiments/results")
