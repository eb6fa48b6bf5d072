"""List the corpora: licence, size, source, and which of them lie in a folder. `fetch` downloads one."""

import argparse
from pathlib import Path

from sertf.cli import shared

HELP = "list corpora and which are present, or download one"
EXAMPLES = """\
  sertf corpora --data ~/corpora
  sertf corpora --json
  sertf corpora fetch ravdess --to ~/corpora

fetch resumes an interrupted download. It compares the publisher's checksum and counts the utterances. Corpora without an
open archive must be requested from their owners; the list shows where.
"""


def add_options(parser):
    shared.add_data(parser)
    shared.add_json(parser)
    actions = parser.add_subparsers(metavar="fetch")
    fetch = actions.add_parser(
        "fetch",
        description="Download a corpus, unpack it and check that it is complete.",
        epilog="example:\n  sertf corpora fetch ravdess --to ~/corpora",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fetch.add_argument("corpus", metavar="CORPUS", help="a name that `sertf corpora` lists")
    fetch.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="where to put it, as FOLDER/CORPUS")
    shared.add_json(fetch)
    fetch.set_defaults(command=run_fetch)


def run(options):
    from sertf import corpora
    from sertf.corpora import selection
    from sertf.errors import SertfError

    data = selection.data_folder(options.data)
    if data is not None and not data.is_dir():
        raise SertfError(f"{data}: no such folder; give --data the folder that holds the corpora.")
    listed = []
    for name, corpus in corpora.CORPORA.items():
        folder = corpora.locate(corpus, data) if data else None
        listed.append(
            {
                "name": name,
                "title": corpus.title,
                "languages": list(corpus.languages),
                "utterances": corpus.utterances,
                "speakers": corpus.speakers,
                "licence": corpus.licence,
                "url": corpus.url,
                "fetch": corpus.archive is not None,
                "megabytes": corpus.archive.megabytes if corpus.archive else None,
                "found": folder,
                "audio_files": len(corpora.find_files(folder)) if folder else None,
            }
        )
    if options.json:
        shared.print_json(listed)
        return
    for corpus in listed:
        _show(corpus)
    if data is None:
        print("Give --data FOLDER, or set SERTF_DATA, to see which corpora are present.")


def _show(corpus):
    size = f"{corpus['utterances']} utterances of {corpus['speakers']} speakers" + (
        f", {corpus['megabytes']:g} MB to download" if corpus["fetch"] else ""
    )
    lines = [f"{corpus['title']}; {size}", f"licence: {corpus['licence']}"]
    if corpus["name"] == "embedded":
        lines.append("synthesised when it is first used")
    else:
        get = f"sertf corpora fetch {corpus['name']} --to FOLDER, from " if corpus["fetch"] else ""
        lines.append(f"get it: {get}{corpus['url']}")
    if corpus["found"]:
        lines.append(f"found: {corpus['found']}, {corpus['audio_files']} audio files")
    print(f"{corpus['name']:10}" + f"\n{'':10}".join(lines))


def run_fetch(options):
    from sertf import corpora
    from sertf.corpora import download

    folder = download.fetch(options.corpus, options.to)
    corpus = corpora.CORPORA[options.corpus]
    if options.json:
        shared.print_json({"folder": folder, "utterances": corpus.utterances, "checksum": corpus.archive.checksum})
        return
    checked = "" if corpus.archive.checksum else " Its publisher gives no checksum; sertf checked the content only."
    print(f"{folder}: {corpus.utterances} utterances, complete.{checked} Licence: {corpus.licence}. Please cite:")
    print(corpus.citation)
