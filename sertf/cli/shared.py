"""Shared by several commands: sources of utterances, common options, output for people and programs."""

import json
import sys
from pathlib import Path

from sertf import files
from sertf.errors import SertfError
from sertf.reports.plain import aligned


def add_json(parser):
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def add_skip_bad(parser):
    parser.add_argument(
        "--skip-bad", action="store_true", help="name files that cannot be used, and continue without them"
    )


def add_table(parser):
    parser.add_argument(
        "--table",
        type=Path,
        metavar="PLACE",
        help="own data: a CSV with path, emotion, speaker; or a folder with one folder a class",
    )
    parser.add_argument(
        "--speakers",
        metavar="PATTERN",
        help=r"regular expression whose group finds the speaker in a path, as '(\d+)_'; or unknown (the column speaker)",
    )
    parser.add_argument(
        "--map",
        type=Path,
        metavar="CSV",
        help="columns label and emotion: rename and merge labels; an empty emotion leaves the label out",
    )


def add_voice_activity(parser):
    parser.add_argument(
        "--no-voice-activity",
        dest="voice_activity",
        action="store_false",
        help="leave steady sound, such as noise, to the model, in place of the verdict `no speech`",
    )


def check_threshold(options):
    if options.threshold is not None and not 0 <= options.threshold <= 1:
        raise SertfError(f"--threshold must lie between 0 and 1, got {options.threshold:g}.")


def add_data(parser):
    parser.add_argument(
        "--data",
        type=Path,
        default=None,
        metavar="FOLDER",
        help="folder of the corpus, or of several corpora (the environment variable SERTF_DATA)",
    )


def add_front_end(parser):
    from sertf.papers.own_data import FRONT_ENDS

    parser.add_argument("--front-end", metavar="NAME", help=f"one of {', '.join(FRONT_ENDS)} (the model's)")


def add_extraction(parser):
    add_front_end(parser)
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="feature cache (~/.cache/sertf)")
    parser.add_argument("--workers", type=int, metavar="N", help="number of worker processes (one a core)")
    add_skip_bad(parser)


def load_table(options):
    """The utterances of `--table`, or of the corpus that is named."""
    if (options.table is None) == (options.corpus is None):
        raise SertfError("Give either the name of a corpus, or --table with a CSV of your own data.")
    from sertf import corpora
    from sertf.corpora import selection

    if options.table is None:
        if options.map is not None:
            raise SertfError("--map is for --table; a corpus keeps its emotions.")
        if options.speakers is not None:
            raise SertfError("--speakers is for --table; a corpus knows its speakers.")
        return selection.load(options.corpus, options.data, skip_bad=options.skip_bad)
    return corpora.load_table(
        options.table, labels=mapping(options), speakers=options.speakers, skip_bad=options.skip_bad
    )


def mapping(options):
    """The mapping of --map; None without it."""
    from sertf.corpora.labels import read_mapping

    return None if options.map is None else read_mapping(options.map)


def check_workers(options):
    if options.workers is not None and options.workers < 1:
        raise SertfError(f"--workers must be 1 or more, got {options.workers}.")


def check_place(path: Path) -> None:
    """Raise now if the file could not be written once the work is done."""
    if path.is_dir():
        raise SertfError(f"{path} is a folder; give the name of a file to write.")
    try:
        files.try_writing(path.parent)
    except OSError as error:
        raise SertfError(f"{path} cannot be written ({error.strerror}); choose another place.") from error


def write(path: Path, text: str) -> None:
    """Write a whole text file, or leave the existing one."""
    try:
        files.write_text(path, text)
    except OSError as error:
        raise SertfError(f"{path} cannot be written ({error.strerror}); choose another place.") from error


def to_json(content):
    """JSON text of plain values; paths become strings."""
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, default=str) + "\n"


def to_json_line(content):
    """JSON of plain values in one line."""
    return json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n"


def print_json(content):
    sys.stdout.write(to_json(content))


def print_table(columns, rows):
    """Print rows of texts in aligned columns; nothing is cut off."""
    print(aligned(columns, rows))
