"""What several commands share: where utterances come from, options of the same name, output for people and machines."""

import json
import sys
from pathlib import Path

from sertf import files
from sertf.errors import SertfError


def add_json(parser):
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


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

    parser.add_argument("--front-end", metavar="NAME", help=f"of {', '.join(FRONT_ENDS)} (the model's)")


def add_extraction(parser):
    add_front_end(parser)
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help="feature cache (~/.cache/sertf)")
    parser.add_argument("--workers", type=int, metavar="N", help="how many work at a time (one a core)")
    parser.add_argument(
        "--skip-bad", action="store_true", help="go on without files that cannot be used, and name them"
    )


def load_table(options):
    """The utterances that `--table` or a corpus's name stands for."""
    if (options.table is None) == (options.corpus is None):
        raise SertfError("Give either a corpus by its name, or --table with a CSV of your own data.")
    from sertf import corpora
    from sertf.corpora import selection

    if options.table is None:
        return selection.load(options.corpus, options.data, skip_bad=options.skip_bad)
    return corpora.load_table(options.table, skip_bad=options.skip_bad)


def check_workers(options):
    if options.workers is not None and options.workers < 1:
        raise SertfError(f"--workers must be 1 or more, but is {options.workers}.")


def check_place(path: Path) -> None:
    """Raise now what would keep a file from being written when the work is done."""
    if path.is_dir():
        raise SertfError(f"{path} is a folder; give the name of a file to write.")
    try:
        files.try_writing(path.parent)
    except OSError as error:
        raise SertfError(f"{path} cannot be written ({error.strerror}); choose another place.") from error


def write(path: Path, text: str) -> None:
    """Write a text file: all of it, or nothing."""
    try:
        files.write_text(path, text)
    except OSError as error:
        raise SertfError(f"{path} cannot be written ({error.strerror}); choose another place.") from error


def to_json(content):
    """JSON text of plain values; paths become texts."""
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False, default=str) + "\n"


def print_json(content):
    sys.stdout.write(to_json(content))


def print_table(columns, rows):
    """Print rows of texts in columns as wide as they are; nothing is cut off."""
    rows = [columns, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(columns))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
