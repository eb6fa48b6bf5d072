"""Search the hyperparameters of a model by its validation UAR over folds. The search never loads test parts.

sertf stores finished trials: the same command resumes after an interruption. The best trial becomes a recipe file for
`sertf run --recipe`.
"""

import sys
from pathlib import Path

from sertf.cli import shared

HELP = "search hyperparameters with Keras Tuner"
EXAMPLES = """\
  sertf tune demo --tuner bayesian --trials 20 --workers 2
  sertf tune reslstm_sa --data RAVDESS_FOLDER --tuner random
  sertf tune reslstm_sa --table mine.csv --trials 20
  sertf tune serct_rates --data EMODB_FOLDER --tuner grid --fold fold-1
"""


def add_options(parser):
    from sertf.papers import SPACES

    parser.add_argument("space", metavar="SPACE", help=f"search space, one of {', '.join(SPACES)}; demo needs no data")
    shared.add_data(parser)
    shared.add_table(parser)
    parser.add_argument("--corpus", help="search on another corpus than the space's")
    parser.add_argument(
        "--protocol", help="protocol of the folds (the space's; with --table speaker-independent-5, or fewer folds)"
    )
    parser.add_argument("--fold", action="append", help="fold of the protocol; repeatable (all)")
    parser.add_argument("--tuner", default="random", help="grid, random, bayesian or hyperband (random)")
    parser.add_argument("--trials", type=int, help="number of trials (20; grid: all; hyperband: by its epochs)")
    parser.add_argument("--epochs", type=int, help="epochs of a full training (the space's)")
    parser.add_argument("--workers", type=int, default=1, help="number of worker processes, one trial each (1)")
    parser.add_argument(
        "--out", type=Path, help="folder of the search (runs/SPACE_TUNER; with --table runs/TABLE_SPACE_TUNER)"
    )
    parser.add_argument("--cache", type=Path, help="feature cache (~/.cache/sertf)")
    parser.add_argument("--skip-bad", action="store_true", help="leave unusable clips out")
    shared.add_json(parser)


def run(options):
    from sertf.corpora import selection
    from sertf.errors import SertfError, unknown
    from sertf.papers import SPACES
    from sertf.protocols import splits
    from sertf.tuning import search

    for kind, name, known in (("space", options.space, SPACES), ("tuner", options.tuner, search.TUNERS)):
        if name not in known:
            raise SertfError(unknown(kind, name, known))
    if options.tuner == "hyperband" and options.trials is not None:
        raise SertfError("--trials does not apply to hyperband; its --epochs decide the number. Leave --trials out.")
    if options.table is None:
        space = SPACES[options.space].on(options.corpus, protocol=options.protocol, epochs=options.epochs)
        table = selection.load(space.experiment.corpus, options.data, skip_bad=options.skip_bad)
        name = f"{options.space}_{options.tuner}"
    else:
        if options.corpus is not None or options.data is not None:
            raise SertfError("--table brings its own recordings; leave --corpus and --data out.")
        table = shared.load_table(options)
        protocol = options.protocol or splits.usual(table)
        space = SPACES[options.space].on("table", protocol=protocol, epochs=options.epochs)
        name = f"{options.table.stem}_{options.space}_{options.tuner}"
    out = options.out or Path("runs") / name
    counted = options.tuner in ("random", "bayesian")
    try:
        found = search.search(
            space,
            table,
            out=out,
            tuner=options.tuner,
            trials=20 if options.trials is None and counted else options.trials,
            folds=options.fold,
            workers_count=options.workers,
            cache=options.cache,
            skip_bad=options.skip_bad,
        )
    except KeyboardInterrupt:
        print("Finished trials are stored. The same command resumes the search.", file=sys.stderr)
        raise
    recipe = out / "recipe.json"
    if options.json:
        shared.print_json({"recipe": recipe, "best": found.best_score, "trials": out / "trials.csv"})
        return
    best_first = found.trials.drop(columns="failed").sort_values(search.SCORE, ascending=False)
    print(best_first.head(10).to_string(index=False))
    failed = found.trials["failed"].notna().sum()
    print(f"{len(found.trials)} trials, {failed} failed; best validation UAR {found.best_score:.4f}")
    print(f"recipe: {recipe}; trials: {out / 'trials.csv'}, {out / 'trials.png'}")
