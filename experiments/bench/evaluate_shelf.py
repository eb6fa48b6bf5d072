"""Evaluate every bundled model anew: pages to experiments/evaluations, tables to the models' cards.

    python experiments/bench/evaluate_shelf.py --data ~/corpora

A model's tested speakers are scored under all conditions, enrolled too where the model can do that, and RAVDESS, EmoDB and TESS as recorded. The card gets the
conditions, and the corpora that the model never trained on. Pages of its own corpora say that it did. Run it again after a
model has changed. On 2 cores it takes half an hour.
"""

import argparse
from pathlib import Path

from sertf import cli
from sertf.errors import in_one_sentence

CORPORA = ("ravdess", "emodb", "tess")


def evaluate(model, corpora, data, out, *more):
    """One page; ends the script if the command fails."""
    named = [word for corpus in corpora for word in ("--corpus", corpus)]
    code = cli.main(["evaluate", "--model", model, "--data", data, *named, "--out", str(out), *more])
    if code:
        raise SystemExit(code)


@in_one_sentence
def main():
    from sertf.inference.bundled import folder_of, names
    from sertf.inference.card import read_card
    from sertf.inference.evaluation import training_corpora

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, metavar="FOLDER", help=f"holds {', '.join(CORPORA)}")
    parser.add_argument("--model", action="append", metavar="NAME", help="a bundled model; repeatable (all)")
    parser.add_argument("--out", type=Path, default=Path("experiments/evaluations"), metavar="FOLDER")
    options = parser.parse_args()
    for model in options.model or names():
        card, out = read_card(folder_of(model)), options.out / model
        trained, tested = training_corpora(card), ("--split", "test", "--conditions", "--card")
        evaluate(model, trained, options.data, out / "tested_speakers", *tested)
        if "known_speakers" in card:
            evaluate(model, trained, options.data, out / "known_speakers", *tested, "--known-speakers", "all")
        for corpus in CORPORA:
            evaluate(model, [corpus], options.data, out / corpus, *([] if corpus in trained else ["--card"]))


if __name__ == "__main__":
    main()
