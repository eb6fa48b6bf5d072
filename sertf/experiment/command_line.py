"""What every experiment script does with its `EXPERIMENT`: options, run, report; one sentence for a user's mistake."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from sertf import corpora
from sertf.corpora import selection
from sertf.errors import SertfError, exit_code, unknown
from sertf.experiment import verify
from sertf.experiment.runner import run
from sertf.experiment.systems import fitted_to
from sertf.files import check_writable
from sertf.parallel.environment import check_backend, import_tensorflow_quietly
from sertf.parallel.processes import SCHEDULERS, death
from sertf.protocols.zero_shot import shared_emotions
from sertf.reports import readme_table
from sertf.reports.report import write_report
from sertf.runs.layout import stored_folder
from sertf.training.recipe import PRECISIONS, read_recipe


def main(experiment, arguments=None, *, on=None, between=None):
    """Run an experiment from the command line and write its reports.

    Args:
        experiment: `sertf.experiment.Experiment`.
        arguments: the command line; None takes the process's own.
        on: function from a corpus name to the same experiment on that corpus, which makes the option `--corpus`; None
            for an experiment that is defined on one corpus.
        between: function from the name of a corpus and a tuple of others to the experiment that trains on the one and
            tests on the others, which makes the option `--train`, with `--data` for each corpus.

    Exits with 2 after one sentence on a user's mistake, with 130 after Ctrl-C and with 1 after a killed worker; the
    same command then goes on with the runs that are missing.
    """
    options = _parser(experiment, on, between).parse_args(arguments)
    with exit_code() as code:
        try:
            check_backend()
            _run(*_experiment_and_table(experiment, options, on, between), options)
        except KeyboardInterrupt:
            print("Interrupted; finished runs are kept, and the same command goes on from there.", file=sys.stderr)
            code.value = 130
        except _worker_died() as error:
            print(death(error), file=sys.stderr)
            code.value = 1
    if code.value:
        sys.exit(code.value)


def _experiment_and_table(experiment, options, on, between):
    """What the options ask for: the experiment, and the utterances of its corpora."""
    if between is not None:
        folders = selection.folders_of(options.data or [])
        others = selection.others_of(options.train, folders)
        table = corpora.load_several(folders, skip_bad=options.skip_bad)
        table = shared_emotions(selection.of_languages(table, (options.train, *others)))
        return between(options.train, others), table
    if on is not None and options.corpus != experiment.corpus:
        experiment = on(options.corpus)
    (corpus,) = experiment.corpora
    if corpus != "table" and experiment.corpus not in selection.CHOICES:
        raise SertfError(unknown("corpus", experiment.corpus, [*selection.CHOICES, "table"]))
    if corpus == "table":
        if options.data is None:
            raise SertfError("An experiment on the corpus table needs --data, a CSV with path, emotion and speaker.")
        return experiment, corpora.load_table(options.data, skip_bad=options.skip_bad)
    if options.data is None and corpus != "embedded":
        raise SertfError(f"{corpus} needs --data, the folder that holds it; `sertf corpora` says where to get it.")
    table = corpora.load(corpus, options.data, skip_bad=options.skip_bad)
    return experiment, selection.of_languages(table, (experiment.corpus,))


def _parser(experiment, on, between):
    parser = argparse.ArgumentParser(description=f"{experiment.name}: {experiment.paper}")
    if between is None:
        what = "CSV of own data" if experiment.corpus == "table" else "folder of the corpus, or of the corpora"
        parser.add_argument("--data", help=what)
    else:
        trained = experiment.corpus.partition("+")[0]
        parser.add_argument(
            "--data",
            action="append",
            metavar="CORPUS=FOLDER",
            help=f"folder of a corpus, such as {trained}=FOLDER, once for each; or one folder that holds folders of the "
            "corpora's names",
        )
        parser.add_argument(
            "--train",
            default=trained,
            choices=selection.CHOICES,
            help=f"train on this one and test on each of the others, and on its other languages ({trained})",
        )
    if on is not None:
        parser.add_argument(
            "--corpus",
            default=experiment.corpus,
            choices=selection.CHOICES,
            help=f"train on another, or on one of its languages ({experiment.corpus})",
        )
    large = ", ".join(name for name, variant in experiment.variants.items() if variant.for_gpu)
    parser.add_argument(
        "--variant",
        action="append",
        help=f"of {', '.join(experiment.variants)}; repeatable; all{large and f' but {large}, which are for a GPU'}",
    )
    parser.add_argument("--protocol", action="append", help=f"of {', '.join(experiment.protocols)}; repeatable; all")
    parser.add_argument("--recipe", type=Path, help="recipe file to train by, as sertf tune writes it; needs --variant")
    parser.add_argument("--repeats", type=int, default=10, help="runs of each fold with other seeds (10)")
    parser.add_argument("--workers", type=int, help="worker processes (one a core)")
    parser.add_argument(
        "--scheduler",
        default="processes",
        choices=SCHEDULERS,
        help="processes of this machine, or a cluster at DASK_SCHEDULER_ADDRESS or RAY_ADDRESS (processes)",
    )
    parser.add_argument("--precision", choices=PRECISIONS, help="of the arithmetic, in place of the recipe's")
    parser.add_argument(
        "--accumulation",
        type=int,
        metavar="N",
        help="cut each batch in N whose gradients are averaged, which needs less memory; a batch norm sees the cut ones",
    )
    parser.add_argument("--out", type=Path, help=f"run directories (runs/{experiment.name})")
    parser.add_argument("--results", type=Path, help="reports and predictions (experiments/results)")
    of_kept = parser.add_mutually_exclusive_group()
    of_kept.add_argument(
        "--extend",
        action="store_true",
        help="count the runs that --results keeps, and train only further --repeats of what it keeps",
    )
    of_kept.add_argument(
        "--verify",
        type=int,
        nargs="?",
        const=1,
        metavar="EPOCHS",
        help="only train the first run that --results keeps of each variant for some epochs (1), and compare the losses",
    )
    parser.add_argument("--cache", type=Path, help="feature cache (~/.cache/sertf)")
    parser.add_argument("--skip-bad", action="store_true", help="leave unusable clips out and record which")
    parser.add_argument("--smoke", action="store_true", help="2 epochs, 1 repeat, a few clips: does it run?")
    return parser


def _run(experiment, table, options):
    import_tensorflow_quietly()
    if options.recipe is not None:
        experiment = with_recipe(experiment, read_recipe(options.recipe), options.variant)
    experiment = with_options(experiment, options.precision, options.accumulation)
    out, repeats = options.out or Path("runs") / experiment.name, options.repeats
    results = options.results or Path("experiments/results")
    if options.smoke:
        experiment, table, repeats = shrink(experiment), few(table), 1
        out = options.out or Path("runs") / f"{experiment.name}_smoke"
        results = options.results or out / "results"
    common = {
        "variants": options.variant or [name for name, variant in experiment.variants.items() if not variant.for_gpu],
        "protocol_names": options.protocol,
        "workers": options.workers,
        "scheduler": options.scheduler,
        "cache": options.cache,
        "skip_bad": options.skip_bad,
    }
    if options.verify is not None:
        found = verify.verify(experiment, table, results=results, epochs=options.verify, **common)
        print(verify.page(found))
        return
    option = "--results" if options.results or not options.smoke else "--out"
    check_writable(results, f"{option} folder")
    folders = run(experiment, table, out=out, repeats=repeats, results=results, extend=options.extend, **common)
    for (variant, protocol), folder in folders.items():
        write_report(folder, stored_folder(results, experiment.name, variant, protocol))
    print(readme_table.experiment_table(results / experiment.name, relative_to=Path.cwd()))


def with_options(experiment, precision, accumulation):
    """The experiment in another precision, or with each batch cut in `accumulation`; None leaves the recipes' own.

    Raises:
        SertfError: a batch that cannot be cut in so many.
    """

    def change(recipe):
        if precision is not None:
            recipe = replace(recipe, precision=precision)
        if accumulation is None:
            return recipe
        whole = recipe.batch_size * recipe.accumulation
        if accumulation < 1 or whole % accumulation:
            raise SertfError(f"--accumulation must divide the batches of {whole}, but is {accumulation}.")
        return replace(recipe, batch_size=whole // accumulation, accumulation=accumulation)

    return _with_recipes(experiment, change)


def shrink(experiment):
    """The experiment with 2 epochs in every recipe."""
    return _with_recipes(experiment, lambda recipe: replace(recipe, epochs=2))


def _with_recipes(experiment, change):
    variants = {
        name: replace(variant, recipes=variant.recipes and {p: change(r) for p, r in variant.recipes.items()})
        for name, variant in experiment.variants.items()
    }
    return replace(experiment, variants=variants)


def with_recipe(experiment, tuned, variants):
    """The experiment with a searched recipe, and the searched options, in some variants under every protocol.

    Under a protocol without a validation part the last epoch counts, whatever the recipe's monitor.

    Args:
        experiment: `sertf.experiment.Experiment`.
        tuned: `sertf.training.recipe.Tuned`.
        variants: names, one or more.

    Raises:
        SertfError: no variant is named, an unknown one, or one of another model.
    """
    if not variants:
        raise SertfError(
            f"A recipe is for variants that are named; choose --variant of {', '.join(experiment.variants)}."
        )
    changed = dict(experiment.variants)
    for name in variants:
        variant = experiment.variant(name)
        if variant.model != tuned.model:
            raise SertfError(f"The recipe is for the model {tuned.model}, but variant {name} trains {variant.model}.")
        if variant.recipes is None:
            raise SertfError(f"{variant.model} is fitted in one go and takes no recipe; leave --recipe out.")
        options = {**variant.options, **tuned.options}
        changed[name] = replace(
            variant,
            options=options,
            recipes={p: fitted_to(tuned.recipe, s.folds) for p, s in experiment.protocols.items()},
            tuned_on=() if tuned.corpus is None else (tuned.corpus,),
        )
    return replace(experiment, variants=changed)


def few(table):
    """The first two utterances of every speaker and emotion, more where few speakers have it: ten of each emotion."""
    table = table.sort_values("utterance")
    speakers = table.groupby(["corpus", "emotion"])["speaker"].transform("nunique")
    place = table.groupby(["speaker", "emotion"]).cumcount()
    kept = table[place < (10 / speakers).clip(lower=2)]
    kept.attrs.update(table.attrs)
    return kept


def _worker_died():
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    return TerminatedWorkerError
