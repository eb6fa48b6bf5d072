"""The learning rate at which SERCT's narrow network learns most, by validation speakers alone.

    python experiments/serct_rates.py --corpus emodb --data EMODB_FOLDER --workers 4
    python experiments/serct_rates.py --corpus ravdess --data RAVDESS_FOLDER --rate 1e-3 --rate 3e-4 --rate 1e-4

A grid of Keras Tuner over the 1e-3 that the thesis prints, the 1e-5 of its code and two rates between. Each is trained
once, on fold 1 of `strict`, and counts with its best epoch by that fold's validation speakers; the test part is not even
loaded. Resumable; six minutes of a core a rate on EmoDB, 25 on RAVDESS. Writes trials.csv into experiments/results.
"""

import argparse
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

from serct_tess import serct_on

import sertf
from sertf.errors import in_one_sentence
from sertf.training.recipe import Recipe
from sertf.tuning.spaces import SEARCH, SearchSpace

RATES = (1e-3, 3e-4, 1e-4, 1e-5)
FOLD = "fold-1"


def rates_on(corpus, rates=RATES):
    """The search space on a corpus; raises SertfError for a rate that nothing can be trained at."""
    for rate in rates:
        Recipe(learning_rate=rate)
    whole = serct_on(corpus)
    narrow = whole.variant("narrow")
    experiment = replace(
        whole,
        name=f"serct_rates_{corpus}",
        variants={SEARCH: replace(narrow, recipes={SEARCH: narrow.recipes["strict"]})},
        protocols={SEARCH: whole.setting("strict")},
    )
    return SearchSpace(experiment, partial(_ask, rates))


def _ask(rates, hp):
    return {"learning_rate": hp.Choice("learning_rate", list(rates))}, {}


@in_one_sentence
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="emodb", choices=("emodb", "ravdess"))
    parser.add_argument("--data", required=True, help="the corpus's folder")
    parser.add_argument("--rate", action="append", type=float, help=f"repeatable ({', '.join(map(str, RATES))})")
    parser.add_argument("--workers", type=int, default=1, help="processes, a rate each at a time (1)")
    parser.add_argument("--out", type=Path, help="folder of the search (default: runs/serct_rates_<corpus>)")
    parser.add_argument("--results", type=Path, help="kept results (default: experiments/results)")
    arguments = parser.parse_args()
    space = rates_on(arguments.corpus, tuple(arguments.rate or RATES))
    name = space.experiment.name
    out = arguments.out or Path("runs") / name
    table = sertf.corpora.load(arguments.corpus, arguments.data)
    found = sertf.tuning.search.search(
        space, table, out=out, tuner="grid", trials=None, folds=[FOLD], workers_count=arguments.workers
    )
    kept = (arguments.results or Path(__file__).parent / "results") / name
    kept.mkdir(parents=True, exist_ok=True)
    shutil.copy(out / "trials.csv", kept)
    print(found.trials.to_string(index=False))


if __name__ == "__main__":
    main()
