"""Train an experiment of the zoo, a custom experiment, or any model of the zoo on a corpus or on your own data.

  sertf run NAME [options]             a published experiment, such as reslstm_sa_ravdess; NAME --help describes it
  sertf run FILE.py [options]          a custom experiment
  sertf run --table CSV [options]      own data: columns path, emotion, speaker
  sertf run --table FOLDER [options]   own data: one folder a class, as data/angry/1.wav
  sertf run --corpus NAME [options]    a corpus under --data or SERTF_DATA

A model brings the front end, options and recipe of its experiment. sertf stores finished runs: the same command resumes
where it was interrupted. Recurrent networks train faster on a CPU with KERAS_BACKEND=jax.
"""

import sys
from pathlib import Path

from sertf.cli import shared

HELP = "train an experiment, or a model on your own data"
EXAMPLES = """\
  sertf run reslstm_sa_ravdess --data ~/corpora --variant reslstm_sa_h64
  sertf run --table mine.csv
  sertf run --table data/ --speakers '(\\d+)_'
  sertf run --table mine.csv --model speechnet --protocol speaker-independent-5 --repeats 3
  sertf run --corpus emodb --data ~/corpora --model svm
"""


def is_experiment(arguments):
    """Whether a command line runs an experiment. An experiment brings its own options."""
    return len(arguments) > 1 and arguments[0] == "run" and not arguments[1].startswith("-")


def experiment(name, arguments):
    """Run a paper's experiment by its name, or a file as Python itself would, which ends the process."""
    from sertf.errors import SertfError

    if Path(name).suffix.lower() == ".csv":
        raise SertfError(f"{name} is a table, not an experiment; give it as --table {name}")
    if not name.endswith(".py"):
        from sertf import papers
        from sertf.experiment import command_line

        found = papers.find(name)
        command_line.command(found.experiment, arguments, about=found.about, program=f"sertf run {name}")
        return
    import runpy

    path = Path(name)
    if not path.is_file():
        raise SertfError(f"{path}: no such file; give the .py file of an experiment, or --table with your own data.")
    sys.argv = [str(path), *arguments]
    sys.path.insert(0, str(path.parent.absolute()))  # the script may import modules beside it
    runpy.run_path(str(path), run_name="__main__")


def add_options(parser):
    from sertf.experiment import command_line
    from sertf.papers import own_data
    from sertf.protocols import splits

    shared.add_table(parser)
    parser.add_argument(
        "--corpus", metavar="NAME", help="a corpus that `sertf corpora` lists, or a language of it: esd_en"
    )
    shared.add_data(parser)
    parser.add_argument(
        "--model",
        metavar="NAME",
        help=f"one of {', '.join(own_data.SYSTEMS)} (that of --recipe, else {own_data.DEFAULT}: ridge regression on Whisper's first blocks)",
    )
    shared.add_front_end(parser)
    parser.add_argument(
        "--protocol",
        metavar="NAME",
        help=f"split of the speakers: {', '.join(splits.PROTOCOLS)}, or speaker-independent-k for any other k; "
        "NAME-all trains on validation speakers too "
        "(speaker-independent-5; fewer folds for fewer speakers, leave-one-of-two-out for two)",
    )
    parser.add_argument(
        "--known-speakers",
        action="store_true",
        help="scale each speaker by unlabelled clips of their own, tested speakers included; declared in the report",
    )
    parser.add_argument(
        "--enrolment-clips",
        type=int,
        metavar="N",
        help="with --known-speakers: clips that a validation or tested speaker is scaled by; 0 tests unknown speakers (all)",
    )
    command_line.add_options(parser, repeats=1, out="runs/<name of the table>", results=command_line.RESULTS)


def run(options):
    from sertf.corpora.utterances import unknown_speakers
    from sertf.errors import SertfError
    from sertf.experiment import command_line
    from sertf.papers import own_data
    from sertf.protocols import splits
    from sertf.training.recipe import read_recipe

    # Names first, then the table, then TensorFlow: each takes longer to load than the one before.
    tuned = options.recipe and read_recipe(options.recipe)
    model = options.model or (tuned.model if tuned else own_data.DEFAULT)
    own_data.front_end_of(model, options.front_end)
    if options.protocol is not None:
        splits.protocol(options.protocol)
    command_line.check_counts(options)
    if options.enrolment_clips is not None and not options.known_speakers:
        raise SertfError("--enrolment-clips is for --known-speakers; give both.")
    if tuned and tuned.model != own_data.system(model).variant.model:
        raise SertfError(f"{options.recipe} is for {tuned.model}; give --model {tuned.model}, or leave --recipe out.")
    table = shared.load_table(options)
    name = options.corpus or options.table.resolve().stem
    protocol = options.protocol or splits.usual(table)
    if unknown_speakers(table):
        if options.known_speakers:
            raise SertfError("--known-speakers needs the speakers, but they are unknown; name them with --speakers.")
        print(
            "The speakers are unknown. Training and test may share them, so the scores show nothing about new speakers.",
            file=sys.stderr,
        )
    chosen = own_data.experiment(
        name,
        model,
        protocol,
        corpus=options.corpus or "table",
        front_end=options.front_end,
        known_speakers=options.known_speakers,
        enrolment_clips=options.enrolment_clips,
    )
    chosen = command_line.changed(chosen, options, variants=[model], named=[model])
    _check_shapes(chosen, table, model)
    results = command_line.results_folder(chosen, options)
    trained = command_line.train(chosen, table, options, variants=[model], protocols=None, results=results)
    for one in trained:
        _show(one, name, options)


def _check_shapes(chosen, table, model):
    """Build the network once, so that a mismatch of front end and model shows before hours of extraction."""
    from sertf.parallel.environment import import_tensorflow_quietly

    import_tensorflow_quietly()
    from sertf.experiment.cells import resolve
    from sertf.experiment.checks import check_emotions

    check_emotions(table)
    for cell in resolve(chosen, [model]):
        cell.try_out(table["emotion"].nunique())


def _show(trained, name, options):
    from sertf.papers import own_data
    from sertf.reports.markdown import SCORE_NOTE, score_cell
    from sertf.training.trainers import find

    if options.json:
        shared.print_json({"runs": trained.runs, "report": trained.report, "scores": trained.scores})
        return
    for key in ("uar", "wa"):
        entry = trained.scores[key]
        print(f"{entry['name']}: {score_cell(entry)}")
    print(f"{SCORE_NOTE[0].upper()}{SCORE_NOTE[1:]}.")
    print(f"Report: {trained.report}")
    if options.smoke:
        print("This was a smoke test. To train a model: the same command without --smoke.")
    elif find(own_data.system(trained.variant).variant.model).exportable:
        print(f"To use it: sertf export {trained.runs} models/{name}")
