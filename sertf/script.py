"""What every experiment script does with its `EXPERIMENT`: options, run, report; one sentence for a user's mistake."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from sertf import corpora, report, runner, workers
from sertf.errors import SertfError


def main(experiment, arguments=None, *, on=None):
    """Run an experiment from the command line and write its reports.

    Args:
        experiment: `sertf.experiment.Experiment`.
        arguments: the command line; None takes the process's own.
        on: function from a corpus name to the same experiment on that corpus, which makes the option `--corpus`; None
            for an experiment that is defined on one corpus.

    Exits with 2 after one sentence on a user's mistake, with 130 after Ctrl-C and with 1 after a killed worker; the
    same command then goes on with the runs that are missing.
    """
    options = _parser(experiment, on).parse_args(arguments)
    try:
        if on is not None and options.corpus != experiment.corpus:
            experiment = on(options.corpus)
        _run(experiment, options)
    except SertfError as error:
        sys.exit(_say(error, 2))
    except KeyboardInterrupt:
        sys.exit(_say("Interrupted; finished runs are kept, and the same command goes on from there.", 130))
    except _worker_died() as error:
        sys.exit(_say(f"A worker process died ({error}); finished runs are kept, the same command goes on.", 1))


def _parser(experiment, on):
    parser = argparse.ArgumentParser(description=f"{experiment.name}: {experiment.paper}")
    parser.add_argument("--data", help="folder of the corpus, or of the corpora")
    if on is not None:
        parser.add_argument(
            "--corpus",
            default=experiment.corpus,
            choices=corpora.CORPORA,
            help=f"train on another ({experiment.corpus})",
        )
    parser.add_argument("--variant", action="append", help=f"of {', '.join(experiment.variants)}; repeatable; all")
    parser.add_argument("--protocol", action="append", help=f"of {', '.join(experiment.protocols)}; repeatable; all")
    parser.add_argument("--repeats", type=int, default=10, help="runs of each fold with other seeds (10)")
    parser.add_argument("--workers", type=int, help="worker processes (one a core)")
    parser.add_argument("--scheduler", default="processes", choices=workers.SCHEDULERS)
    parser.add_argument("--out", type=Path, help=f"run directories (runs/{experiment.name})")
    parser.add_argument("--results", type=Path, default=Path("experiments/results"), help="reports and predictions")
    parser.add_argument("--cache", type=Path, help="feature cache (~/.cache/sertf)")
    parser.add_argument("--skip-bad", action="store_true", help="leave unusable clips out and record which")
    parser.add_argument("--smoke", action="store_true", help="2 epochs, 1 repeat, a few clips: does it run?")
    return parser


def _run(experiment, options):
    table = corpora.load(experiment.corpus, options.data, skip_bad=options.skip_bad)
    out, results, repeats = options.out or Path("runs") / experiment.name, options.results, options.repeats
    if options.smoke:
        experiment, table, repeats = shrink(experiment), few(table), 1
        out = options.out or Path("runs") / f"{experiment.name}_smoke"
        results = out / "results"
    folders = runner.run(
        experiment,
        table,
        out=out,
        variants=options.variant,
        protocol_names=options.protocol,
        repeats=repeats,
        workers=options.workers,
        scheduler=options.scheduler,
        cache=options.cache,
        skip_bad=options.skip_bad,
    )
    for (variant, protocol), folder in folders.items():
        report.write(folder, results / experiment.name / variant / protocol)
    print(report.table(results, relative_to=Path.cwd()))


def shrink(experiment):
    """The experiment with 2 epochs in every recipe."""
    return replace(
        experiment,
        variants={
            name: replace(
                variant,
                recipes=variant.recipes and {p: replace(recipe, epochs=2) for p, recipe in variant.recipes.items()},
            )
            for name, variant in experiment.variants.items()
        },
    )


def few(table):
    """The first two utterances of every speaker and emotion."""
    kept = table.sort_values("utterance").groupby(["speaker", "emotion"]).head(2)
    kept.attrs.update(table.attrs)
    return kept


def _say(message, code):
    print(message, file=sys.stderr)
    return code


def _worker_died():
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    return TerminatedWorkerError
