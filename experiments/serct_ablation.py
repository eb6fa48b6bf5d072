"""SERCT without its modules, on EmoDB or another corpus.

python experiments/serct_ablation.py --data EMODB_FOLDER --repeats 3
"""

from sertf.experiment import main
from sertf.papers import serct

if __name__ == "__main__":
    main(serct.ablation("emodb"), on=serct.ablation, results="experiments/results")
