"""The main job in three minutes, on the embedded corpus: extract, train, report, export, predict.

    make demo

A small ResLSTM-SA on 320 synthesised clips of 8 speakers: 2 repeats × 4 speaker-independent folds. The clips are no
speech and the score says nothing about speech; what it shows is every step from a folder to a SavedModel.
"""

import argparse
from pathlib import Path

import sertf
from sertf.errors import in_one_sentence
from sertf.papers import reslstm_sa


@in_one_sentence
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("demo"))
    parser.add_argument("--workers", type=int)
    options = parser.parse_args()
    table = sertf.corpora.load("embedded", options.out / "corpus")
    print(f"{len(table)} clips of {table['speaker'].nunique()} speakers in {options.out / 'corpus'}")
    results = options.out / "results"
    folders = sertf.experiment.runner.run(
        reslstm_sa.demo(),
        table,
        out=options.out / "runs",
        repeats=2,
        workers=options.workers,
        cache=options.out / "cache",
        results=results,
    )
    runs = folders["reslstm_sa_h16", "strict"]
    place = results / "demo" / "reslstm_sa_h16" / "strict"
    summary = sertf.reports.write_report(runs, place)
    uar = summary["scores"]["uar"]
    print(f"UAR over 2 repeats {uar['mean']:.3f} (chance 0.250); report: {place / 'report.md'}")
    model = sertf.export.saved_model.save(runs, options.out / "saved_model")
    print(f"SavedModel: {model}")
    clip = table["path"].iloc[0]
    print(f"Prediction for {clip}:")
    print(sertf.load(model).predict(clip).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
