"""Linear models on functionals, on RAVDESS or EmoDB; `sertf/papers/functionals.py` has its facts.

python experiments/functionals.py --corpus emodb --data EMODB_FOLDER --repeats 1
"""

from sertf.experiment import main
from sertf.papers import functionals

if __name__ == "__main__":
    main(functionals.experiment("ravdess"), on=functionals.experiment, results="experiments/results")
