"""Train: an experiment of the zoo, or any of its models on a corpus or on your own data.

  sertf run EXPERIMENT [its options]   an experiments/*.py, or its name; EXPERIMENT --help shows its options
  sertf run --table CSV [options]      own data: columns path, emotion, speaker
  sertf run --corpus NAME [options]    a corpus under --data or SERTF_DATA

A model brings its front end, options and recipe along, those of its experiment. What is finished is kept: the same
command goes on where it was interrupted. Recurrent networks train faster on a CPU with KERAS_BACKEND=jax.
"""

import os
import sys
from pathlib import Path

from sertf.cli import shared

HELP = "train an experiment, or a model on your own data"
EXAMPLES = """\
  sertf run --table mine.csv
  sertf run --table mine.csv --model speechnet --protocol speaker-independent-5 --repeats 3
  sertf run --corpus emodb --data ~/corpora --model svm
  sertf run experiments/reslstm_sa_ravdess.py --data ~/corpora --variant reslstm_sa_h64
"""
DEFAULT_MODEL = "reslstm_sa"
EXPERIMENTS = Path("experiments")


def is_experiment(arguments):
    """Whether a command line runs an experiment, which has options of its own."""
    return len(arguments) > 1 and arguments[0] == "run" and not arguments[1].startswith("-")


def experiment(name, arguments):
    """Run an experiment's file as if by Python itself; it ends the process."""
    import runpy

    from sertf.errors import SertfError, unknown

    path = Path(name) if name.endswith(".py") else EXPERIMENTS / f"{name}.py"
    if not path.is_file():
        if Path(name).suffix.lower() == ".csv":
            raise SertfError(f"{name} is no experiment; give a table as --table {name}")
        known = sorted(file.stem for file in path.parent.glob("*.py") if "EXPERIMENT = " in file.read_text())
        if not known:
            raise SertfError(f"{path}: no such file; give an experiment's .py, or --table with own data.")
        raise SertfError(unknown("experiment", path.stem, known))
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.parent.absolute()))  # experiments import each other
    runpy.run_path(str(path), run_name="__main__")


def add_options(parser):
    from sertf.experiment import systems
    from sertf.protocols import splits

    parser.add_argument("--table", type=Path, metavar="CSV", help="own data: columns path, emotion, speaker")
    parser.add_argument("--corpus", metavar="NAME", help="one that `sertf corpora` lists, or a language of it: esd_en")
    shared.add_data(parser)
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, metavar="NAME", help=f"of {', '.join(systems.SYSTEMS)} ({DEFAULT_MODEL})"
    )
    parser.add_argument(
        "--protocol",
        metavar="NAME",
        help=f"how speakers are parted: {', '.join(splits.PROTOCOLS)}, or speaker-independent-k for any other k "
        "(speaker-independent-5; of fewer speakers fewer, of two leave-one-of-two-out)",
    )
    recipe = parser.add_mutually_exclusive_group()
    recipe.add_argument("--epochs", type=int, metavar="N", help="in place of the recipe's")
    recipe.add_argument("--recipe", type=Path, metavar="FILE", help="train by this recipe, as sertf tune writes it")
    parser.add_argument("--repeats", type=int, default=1, metavar="N", help="runs of each fold with other seeds (1)")
    shared.add_extraction(parser)
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="run directories (runs/<name of the table>)")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="reports and predictions (results)")
    parser.add_argument("--smoke", action="store_true", help="2 epochs, 1 repeat, a few clips: does it run?")
    shared.add_json(parser)


def run(options):
    from sertf.errors import SertfError
    from sertf.experiment import systems
    from sertf.protocols import splits
    from sertf.training.recipe import read_recipe

    # Names first, then the table, then TensorFlow: each takes longer to load than the one before.
    systems.front_end_of(options.model, options.front_end)
    if options.protocol is not None:
        splits.protocol(options.protocol)
    shared.check_workers(options)
    for option in ("repeats", "epochs"):
        value = getattr(options, option)
        if value is not None and value < 1:
            raise SertfError(f"--{option} must be 1 or more, but is {value}.")
    tuned = options.recipe and read_recipe(options.recipe)
    if tuned and tuned.model != options.model:
        raise SertfError(f"{options.recipe} is for {tuned.model}; give --model {tuned.model}, or leave --recipe out.")
    table = shared.load_table(options)
    name = options.corpus or options.table.stem
    protocol = options.protocol or splits.speakers_apart(table["speaker"].nunique())
    chosen = systems.experiment(
        name,
        options.model,
        protocol,
        corpus=options.corpus or "table",
        front_end=options.front_end,
        epochs=options.epochs,
    )
    _train(chosen, table, protocol, tuned, options)


def _train(chosen, table, protocol, tuned, options):
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    from sertf.errors import SertfError
    from sertf.files import check_writable
    from sertf.parallel.environment import import_tensorflow_quietly
    from sertf.parallel.processes import death

    if os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow":
        import_tensorflow_quietly()
    from sertf.experiment import command_line, runner
    from sertf.reports.report import write_report
    from sertf.runs.layout import stored_folder

    if tuned:
        chosen = command_line.with_recipe(chosen, tuned, [options.model])
    repeats, results = options.repeats, options.results or Path("results")
    out = options.out or Path("runs") / chosen.name
    if options.smoke:
        chosen, table, repeats = command_line.shrink(chosen), command_line.few(table), 1
        out = options.out or Path("runs") / f"{chosen.name}_smoke"
        results = options.results or out / "results"
    _check_shapes(chosen, table, options.model)
    option = "--results" if options.results or not options.smoke else "--out"
    check_writable(results, f"{option} folder")
    try:
        folders = runner.run(
            chosen,
            table,
            out=out,
            repeats=repeats,
            results=results,
            workers=options.workers,
            cache=options.cache,
            skip_bad=options.skip_bad,
        )
    except (KeyboardInterrupt, TerminatedWorkerError) as error:
        if isinstance(error, KeyboardInterrupt):
            print("Finished runs are kept; the same command goes on from there.", file=sys.stderr)
            raise
        raise SertfError(death(error)) from error
    runs = folders[options.model, protocol]
    place = stored_folder(results, chosen.name, options.model, protocol)
    summary = write_report(runs, place)
    _show(summary, runs, place / "report.md", options.json)


def _check_shapes(chosen, table, model):
    """Build the network once, so that a front end that does not fit is said before hours of extraction."""
    from sertf.experiment import checks
    from sertf.models import MODELS
    from sertf.training.network import build_network

    checks.check_emotions(table)
    if model in MODELS:
        for described in checks.networks_of(chosen, table, [(model, protocol) for protocol in chosen.protocols]):
            build_network(*described)


def _show(summary, runs, page, as_json):
    from sertf.reports.markdown import SCORE_NOTE, score_cell

    if as_json:
        shared.print_json({"runs": runs, "report": page, "scores": summary["scores"]})
        return
    for key in ("uar", "wa"):
        entry = summary["scores"][key]
        print(f"{entry['name']}: {score_cell(entry)}")
    print(f"{SCORE_NOTE[0].upper()}{SCORE_NOTE[1:]}.")
    print(f"Report: {page}")
    if summary["facts"]["epochs"] is not None:  # no SavedModel holds a scikit-learn model
        print(f"To use it: sertf export {runs} saved_models/{summary['facts']['experiment']}")
