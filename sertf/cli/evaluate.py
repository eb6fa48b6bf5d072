"""Measure how good a model is on labelled recordings.

  sertf evaluate --table mine.csv      own data: columns path, emotion and, if known, speaker
  sertf evaluate --corpus emodb        a corpus under --data or SERTF_DATA
  sertf evaluate --data emodb=FOLDER   the same by its folder; repeatable

sertf prints UAR, WA and macro F1 with 95 % intervals over speakers, the recall of each emotion and the calibration.
It leaves out clips of emotions that the model lacks, and says how many. It says where the model was trained on clips of
the same corpus. --split test keeps the speakers that the card names as tested.

--known-speakers enrols each speaker by all their clips first, without labels. This shows what `sertf predict --speaker`
would give. The default recognizer can do it, and so can a model that `sertf run --known-speakers` trained.
--known-speakers all enrols all speakers together, by which a model that trains itself on their clips gains more.
--known-speakers one enrols all speakers of a corpus as one, for recordings whose speakers are not told apart.

--conditions scores the same clips as over a telephone, through codecs, at other levels, with noise and in a room. --out
writes a page with figures and every prediction. --card writes the result into the model's card.
"""

import sys
from pathlib import Path

from sertf.cli import shared
from sertf.texts import unfiltered

HELP = "measure a model on labelled recordings"
EXAMPLES = """\
  sertf evaluate --table mine.csv --out evaluations/mine
  sertf evaluate --table mine.csv --known-speakers
  sertf evaluate --model models/mine --corpus emodb --data ~/corpora
  sertf evaluate --data ravdess=RAVDESS_FOLDER --split test --conditions
"""


def add_options(parser):
    from sertf.inference.evaluation import ENROLMENTS, SPLITS

    shared.add_table(parser)
    parser.add_argument(
        "--corpus", action="append", metavar="NAME", help="a corpus that `sertf corpora` lists; repeatable"
    )
    parser.add_argument(
        "--data",
        action="append",
        metavar="CORPUS=FOLDER",
        help="folder of a corpus, once for each; or one folder of several (SERTF_DATA)",
    )
    parser.add_argument("--model", metavar="MODEL", help="an exported model's folder, or a bundled model's name")
    parser.add_argument(
        "--split", choices=SPLITS, help="keep the speakers that the model was tested on and not trained on"
    )
    parser.add_argument("--conditions", action="store_true", help="score the clips under 12 recording conditions too")
    parser.add_argument(
        "--known-speakers",
        nargs="?",
        const="each",
        choices=ENROLMENTS,
        help="enrol speakers by their clips, without labels: each alone (the default), all of them, or a corpus as one",
    )
    parser.add_argument(
        "--by", action="append", default=[], metavar="COLUMN", help="break the accuracy down by this column; repeatable"
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write a page, figures and predictions there")
    parser.add_argument(
        "--card",
        action="store_true",
        help="write other corpora, or with --split test the conditions, into the model's card",
    )
    shared.add_skip_bad(parser)
    shared.add_json(parser)


def run(options):
    from sertf.files import check_writable
    from sertf.inference.bundled import folder_of
    from sertf.inference.card import read_card
    from sertf.inference.card_page import write_card
    from sertf.inference.evaluation import card_with, check_enrolment, check_for_card
    from sertf.inference.evaluation_page import check_place, write_evaluation

    # Mistakes first: TensorFlow takes its time to load.
    folder = folder_of(options.model)
    card = read_card(folder)
    if options.out is not None:
        check_place(options.out)
    table = _table(options, shared.mapping(options))
    check_enrolment(card, table, options.known_speakers)
    if options.card:
        check_for_card(
            card,
            table,
            split=options.split,
            conditions=options.conditions,
            known_speakers=options.known_speakers,
        )
        check_writable(folder, "--model")
    from sertf.inference.recognizer import load
    from sertf.parallel.environment import import_tensorflow_quietly

    import_tensorflow_quietly()
    model = load(folder)
    with _progress() as progress:
        found = model.evaluate(
            table,
            split=options.split,
            conditions=options.conditions,
            known_speakers=options.known_speakers,
            by=options.by,
            skip_bad=options.skip_bad,
            progress=progress,
        )
    for path, reason in (*table.attrs.get("skipped", ()), *found.bad):
        print(f"skipped {path}: {reason}", file=sys.stderr)
    page = None if options.out is None else write_evaluation(found, options.out)
    if options.card:
        write_card(folder, card_with(card, found))
    if options.json:
        shared.print_json(found.to_dict() | ({} if page is None else {"report": page}))
    else:
        _show(found, page)


def _table(options, mapping):
    """The utterances of --table, or of the corpora that --corpus and --data name, with the labels of --map."""
    from sertf import corpora
    from sertf.corpora.labels import relabelled
    from sertf.errors import SertfError

    if options.table is None:
        if options.speakers is not None:
            raise SertfError("--speakers is for --table; a corpus knows its speakers.")
        table = _of_corpora(options)
        return table if mapping is None else relabelled(table, mapping)
    if options.corpus or options.data:
        raise SertfError("--table stands alone; leave --corpus and --data out.")
    return corpora.load_table(
        options.table, labels=mapping, speakers=options.speakers, skip_bad=options.skip_bad, speakers_needed=False
    )


def _of_corpora(options):
    from sertf import corpora
    from sertf.corpora import selection
    from sertf.errors import SertfError, unknown

    named, data = options.corpus or [], options.data or []
    for name in named:
        if name not in selection.CHOICES:
            raise SertfError(unknown("corpus", name, selection.CHOICES))
    if len(named) == 1 and not any("=" in folder for folder in data) and len(data) < 2:
        return selection.load(named[0], *data, skip_bad=options.skip_bad)
    given = data or [str(folder) for folder in [selection.data_folder(None)] if folder]
    if not given:
        raise SertfError(
            "There are no recordings to evaluate on; give --table with a CSV, or --data with the folder of a corpus."
        )
    folders = selection.folders_of(given)
    wanted = dict.fromkeys(name.partition("_")[0] for name in named) or folders
    absent = [name for name in wanted if name not in folders]
    if absent:
        raise SertfError(f"--data gives {', '.join(folders)}, but not {absent[0]}; add --data {absent[0]}=FOLDER.")
    table = corpora.load_several({name: folders[name] for name in wanted}, skip_bad=options.skip_bad)
    return selection.of_languages(table, named)


def _progress():
    """A context with a function that moves a bar on the terminal."""
    import contextlib

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    @contextlib.contextmanager
    def shown():
        console = Console(file=unfiltered(sys.stderr))
        columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("Listening", total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    return shown()


def _show(found, page):
    from sertf.evaluation.calibration import ERRORS
    from sertf.inference import evaluation_page as pages
    from sertf.inference.evaluation import SCORES

    print(pages.title(found))
    for note in pages.notes(found):
        print(note)
    print()
    shared.print_table(
        ("score", "value", f"95 % interval over {found.drawn}"),
        [
            (name, f"{found.scores[key].value:.4f}", f"{found.scores[key].low:.4f} to {found.scores[key].high:.4f}")
            for key, name in SCORES.items()
        ],
    )
    print()
    clips = {name: sum(row) for name, row in zip(found.emotions, found.confusion)}
    shared.print_table(
        ("emotion", "clips", "recall"),
        [(name, str(clips[name]), f"{value:.4f}") for name, value in found.recall.items()],
    )
    print()
    values = found.calibration["values"]
    shared.print_table(
        ("calibration, 0 is best", "value"), [(name, f"{values[key][0]:.4f}") for key, name in ERRORS.items()]
    )
    if found.conditions:
        print()
        shared.print_table(pages.CONDITIONS_HEAD, pages.condition_cells(found.conditions))
    if page is not None:
        print(f"\nReport: {page}")
