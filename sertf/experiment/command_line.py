"""The command line of training: its options, the run and its reports. `sertf run` and the scripts share it."""

import argparse
import inspect
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sertf import corpora
from sertf.corpora import selection
from sertf.errors import SertfError, in_one_sentence
from sertf.experiment import changes
from sertf.experiment.description import Experiment
from sertf.extraction.checks import check_headers
from sertf.files import check_writable
from sertf.parallel.environment import check_backend, import_tensorflow_quietly
from sertf.parallel.processes import SCHEDULERS, death
from sertf.plots import FORMATS
from sertf.protocols import zero_shot
from sertf.training.recipe import PRECISIONS, read_recipe

if TYPE_CHECKING:
    import pandas

RESULTS = Path("results")
"""Default folder of reports and predictions."""


class WorkerDied(SertfError):
    """A worker process died. The usual cause is too little memory."""

    exit_code = 1


@dataclass(frozen=True)
class Trained:
    """A variant trained under a protocol.

    Attributes:
        variant, protocol: names.
        runs: folder of the run directories.
        report: path of the report page.
        scores: mean, interval and values by score, as in report.json.
    """

    variant: str
    protocol: str
    runs: Path
    report: Path
    scores: dict


@in_one_sentence
def main(experiment: Experiment, arguments: Sequence[str] | None = None, **options) -> None:
    """Run an experiment from the command line of a script; arguments as for `command`.

    It exits with 2 after one sentence on a user's mistake, with 130 after Ctrl-C and with 1 after a worker's death. The
    same command then resumes with the missing runs.
    """
    command(experiment, arguments, **options)


def command(
    experiment: Experiment,
    arguments: Sequence[str] | None = None,
    *,
    on: Callable[[str], Experiment] | None = None,
    between: Callable[[str, tuple[str, ...]], Experiment] | None = None,
    choices: Sequence[str] = selection.CHOICES,
    results: Path | str = RESULTS,
    about: str | None = None,
    program: str | None = None,
) -> None:
    """Train what a command line asks for, write the reports and print their table.

    Args:
        experiment: the experiment to train.
        arguments: the command line; None uses the process's own.
        on: function from a corpus name to the same experiment on that corpus. It adds the option `--corpus`. None for an
            experiment on one corpus.
        between: function from a corpus name and a tuple of others to the experiment that trains on the one and tests on
            the others. It adds the option `--train`.
        choices: allowed names of `--corpus` and `--train`.
        results: default of `--results`.
        about: text of `--help` on the experiment, or on that of `on` or `between`.
        program: name of the command in `--help`; None uses the script's name.

    Raises:
        SertfError: a user's mistake, or a worker's death.
    """
    about = about or inspect.getdoc(on or between) if on or between else about
    options = _parser(experiment, on, between, choices, Path(results), about, program).parse_args(arguments)
    check_backend()
    check_counts(options)
    folders = _folders(options.data) if between is not None or len(experiment.corpora) > 1 else None
    if between is not None:
        experiment = between(options.train, selection.others_of(options.train, folders or {}))
    elif on is not None and options.corpus != experiment.corpus:
        experiment = on(options.corpus)
    variants = options.variant or [name for name, variant in experiment.variants.items() if not variant.for_gpu]
    for name in variants:
        experiment.variant(name)  # raises for an unknown name before anything is loaded
    for name in options.protocol or ():
        experiment.setting(name)
    experiment = changed(experiment, options, variants=variants, named=options.variant)
    table = _table(experiment, options.data if folders is None else folders, options.skip_bad)
    results = results_folder(experiment, options, Path(results))
    trained = train(experiment, table, options, variants=variants, protocols=options.protocol, results=results)
    if options.verify is not None:
        return
    if options.json:
        print(json.dumps([asdict(one) for one in trained], indent=1, default=str))
    else:
        from sertf.reports import readme_table

        print(readme_table.experiment_table(results / experiment.name, relative_to=Path.cwd()))


def add_options(parser: argparse.ArgumentParser, *, repeats: int, out: Path | str, results: Path | str) -> None:
    """Add the options of every training command line.

    Args:
        parser: the parser to extend.
        repeats, results: defaults.
        out: default of the run directories, for `--help`.
    """
    recipe = parser.add_mutually_exclusive_group()
    recipe.add_argument("--epochs", type=int, metavar="N", help="train N epochs instead of the recipe's number")
    recipe.add_argument("--recipe", type=Path, metavar="FILE", help="train with this recipe, a file from sertf tune")
    parser.add_argument(
        "--repeats", type=int, default=repeats, metavar="N", help=f"runs of each fold, with different seeds ({repeats})"
    )
    parser.add_argument("--workers", type=int, metavar="N", help="number of worker processes (one a core)")
    parser.add_argument(
        "--scheduler",
        default="processes",
        choices=SCHEDULERS,
        help="run on processes of this machine, or on a cluster at DASK_SCHEDULER_ADDRESS or RAY_ADDRESS (processes)",
    )
    parser.add_argument("--precision", choices=PRECISIONS, help="precision of the arithmetic (the recipe's)")
    parser.add_argument(
        "--accumulation",
        type=int,
        metavar="N",
        help="split each batch in N and average the gradients; needs less memory; batch norms see the smaller batches",
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help=f"run directories ({out})")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help=f"reports and predictions ({results})")
    parser.add_argument(
        "--figure-format",
        action="append",
        default=[],
        choices=FORMATS,
        help="format of the figures; svg writes SVG beside PNG; repeatable (png)",
    )
    parser.add_argument(
        "--networks",
        type=Path,
        metavar="FOLDER",
        help="runs of a variant under a protocol, whose networks are taken in place of training those that a model reads",
    )
    stored = parser.add_mutually_exclusive_group()
    stored.add_argument(
        "--extend",
        action="store_true",
        help="reuse the runs stored under --results, and train only the missing repeats",
    )
    stored.add_argument(
        "--verify",
        type=int,
        nargs="?",
        const=1,
        metavar="EPOCHS",
        help="retrain the first stored run of each variant for some epochs (1) and compare the losses; write nothing",
    )
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="feature cache (~/.cache/sertf)")
    parser.add_argument("--skip-bad", action="store_true", help="leave unusable clips out and record which")
    parser.add_argument(
        "--tensorboard", metavar="FOLDER", help="write each epoch's scores there, for TensorBoard (extra tensorboard)"
    )
    parser.add_argument(
        "--smoke", action="store_true", help="test the command: 2 epochs, 1 repeat, a few clips; all files are opened"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def check_counts(options: argparse.Namespace) -> None:
    """Raise SertfError for numbers below 1."""
    for name in ("repeats", "epochs", "workers"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise SertfError(f"--{name} must be 1 or more, but is {value}.")


def changed(
    experiment: Experiment, options: argparse.Namespace, *, variants: Sequence[str], named: Sequence[str] | None
) -> Experiment:
    """The experiment with the recipes that the options ask for.

    Args:
        experiment: the experiment to change.
        options: options from `add_options`.
        variants: names of the variants to train.
        named: names of the variants on the command line; `--recipe` applies to these.

    Raises:
        SertfError: an unknown variant, or a change that does not fit a variant.
    """
    if options.recipe is not None:
        experiment = changes.with_recipe(experiment, read_recipe(options.recipe), named)
    if options.epochs is not None:
        experiment = changes.with_epochs(experiment, options.epochs, variants)
    experiment = changes.with_options(experiment, options.precision, options.accumulation)
    return changes.shrink(experiment) if options.smoke else experiment


def out_folder(experiment: Experiment, options: argparse.Namespace) -> Path:
    """Folder of the run directories."""
    return options.out or Path("runs") / f"{experiment.name}{'_smoke' if options.smoke else ''}"


def results_folder(experiment: Experiment, options: argparse.Namespace, default: Path = RESULTS) -> Path:
    """Folder of the reports. Those of a smoke test lie with its runs."""
    return options.results or (out_folder(experiment, options) / "results" if options.smoke else default)


def train(
    experiment: Experiment,
    table: "pandas.DataFrame",
    options: argparse.Namespace,
    *,
    variants: Sequence[str],
    protocols: Sequence[str] | None,
    results: Path,
) -> list[Trained]:
    """Train variants under protocols and write their reports. With `--verify`, only compare losses and print them.

    Args:
        experiment: the experiment from `changed`.
        table: utterance table.
        options: options from `add_options`.
        variants: names.
        protocols: names; None for all.
        results: folder of the reports.

    Raises:
        SertfError: as `sertf.experiment.runner.run`.
        WorkerDied: a worker process died.
    """
    import_tensorflow_quietly()
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    from sertf.experiment import runner, verify
    from sertf.reports.report import write_report
    from sertf.runs.layout import stored_folder

    common = {
        "variants": list(variants),
        "protocol_names": protocols,
        "workers": options.workers,
        "scheduler": options.scheduler,
        "cache": options.cache,
        "skip_bad": options.skip_bad,
        "networks": options.networks,
    }
    repeats = options.repeats
    if options.smoke:
        _check_headers(table, options.skip_bad)
        table, repeats = changes.few(table), 1
    try:
        if options.verify is not None:
            print(verify.page(verify.verify(experiment, table, results=results, epochs=options.verify, **common)))
            return []
        option = "--results" if options.results or not options.smoke else "--out"
        check_writable(results, f"{option} folder")
        out = out_folder(experiment, options)
        folders = runner.run(
            experiment,
            table,
            out=out,
            repeats=repeats,
            results=results,
            extend=options.extend,
            tensorboard=options.tensorboard,
            **common,
        )
    except KeyboardInterrupt:
        print("Finished runs are stored. The same command resumes.", file=sys.stderr)
        raise
    except TerminatedWorkerError as error:
        raise WorkerDied(death(error)) from error
    trained = []
    for (variant, protocol), runs in folders.items():
        place = stored_folder(results, experiment.name, variant, protocol)
        scores = write_report(runs, place, figure_formats=options.figure_format)["scores"]
        trained.append(Trained(variant, protocol, runs, place / "report.md", scores))
    return trained


def _check_headers(table: "pandas.DataFrame", skip_bad: bool) -> None:
    """Open all recordings of a smoke test, which hears few of them: a bad one must not show after hours of training."""
    bad = check_headers(table["path"])
    if not bad:
        return
    listed = "\n".join(f"  {path}: {reason}" for path, reason in bad)
    said = f"{len(bad)} of {table['path'].nunique()} recordings cannot be opened:\n{listed}"
    if not skip_bad:
        raise SertfError(f"{said}\nMend them, or leave them out with --skip-bad.")
    print(said, file=sys.stderr)


def _folders(data: list[str] | None) -> dict[str, Path | str]:
    """The folder of each corpus by its name, from `--data` or SERTF_DATA."""
    default = selection.data_folder(None)
    return selection.folders_of(data or ([str(default)] if default else []))


def _table(experiment: Experiment, data, skip_bad: bool) -> "pandas.DataFrame":
    """The utterances of an experiment, from a folder or a CSV, or from the folders of several corpora."""
    if experiment.corpus == "table":
        if data is None:
            raise SertfError("An experiment on the corpus table needs --data, a CSV with path, emotion and speaker.")
        return corpora.load_table(data, skip_bad=skip_bad)
    names = experiment.corpus.split("+")
    if len(names) == 1:
        return selection.load(experiment.corpus, data, skip_bad=skip_bad)
    missing = [name for name in experiment.corpora if name not in data]
    if missing:
        given = f"--data gives {', '.join(data)}" if data else "there is no --data"
        raise SertfError(f"{experiment.name} needs the recordings of {missing[0]}, but {given}; add CORPUS=FOLDER.")
    wanted = {name: folder for name, folder in data.items() if name in experiment.corpora}
    table = corpora.load_several(wanted, skip_bad=skip_bad)
    return zero_shot.shared_emotions(selection.of_languages(table, names))


def _parser(experiment, on, between, choices, results, about, program):
    described = f"{experiment.name}: {experiment.paper}" + (f"\n\n{inspect.cleandoc(about)}" if about else "")
    parser = argparse.ArgumentParser(
        prog=program, description=described, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if between is None and len(experiment.corpora) == 1:
        what = "CSV of own data" if experiment.corpus == "table" else "folder of the corpus, or of several (SERTF_DATA)"
        parser.add_argument("--data", type=Path, metavar="CSV" if experiment.corpus == "table" else "FOLDER", help=what)
    else:
        parser.add_argument(
            "--data",
            action="append",
            metavar="CORPUS=FOLDER",
            help=f"folder of a corpus, such as {experiment.corpora[0]}=FOLDER, once for each; or one folder with a folder "
            "for each corpus (SERTF_DATA)",
        )
    if between is not None:
        trained = experiment.corpus.partition("+")[0]
        parser.add_argument(
            "--train",
            default=trained,
            choices=choices,
            help=f"train on this corpus, and test on the others and its other languages ({trained})",
        )
    if on is not None:
        parser.add_argument(
            "--corpus",
            default=experiment.corpus,
            choices=choices,
            help=f"train on another corpus, or on one of its languages ({experiment.corpus})",
        )
    large = ", ".join(name for name, variant in experiment.variants.items() if variant.for_gpu)
    parser.add_argument(
        "--variant",
        action="append",
        help=f"one of {', '.join(experiment.variants)}; repeatable; --recipe needs one "
        f"(all{large and f' but {large}, which need a GPU'})",
    )
    parser.add_argument(
        "--protocol", action="append", help=f"one of {', '.join(experiment.protocols)}; repeatable (all)"
    )
    add_options(parser, repeats=10, out=f"runs/{experiment.name}", results=results)
    return parser
