"""List what a fold list leaks: speakers, utterances, copies and texts that training and test share."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sertf.cli import shared

HELP = "list what any fold list leaks"
EXAMPLES = """\
  sertf audit --folds emodb/fold_*/*.jsonl --corpus emodb --data ~/corpora
  sertf audit --folds my_folds.csv --table mine.csv

A list is JSON lines or CSV. Each row names an utterance by its id or file, and its part in a column `split`, or in the
file's name as in train_fold_1.jsonl. Rows with a column `fold` alone name the fold that tests them. A line of JSON may hold
a whole fold: train, test and maybe validation, each a list.
"""


def add_options(parser):
    parser.add_argument("--folds", type=Path, nargs="+", required=True, metavar="FILE", help="JSON lines or CSV")
    shared.add_table(parser)
    parser.add_argument("--corpus", metavar="NAME", help="a corpus that `sertf corpora` lists")
    shared.add_data(parser)
    shared.add_skip_bad(parser)
    shared.add_json(parser)


def run(options):
    from sertf.corpora.utterances import unknown_speakers
    from sertf.errors import SertfError
    from sertf.protocols import fold_lists

    table = shared.load_table(options)
    if unknown_speakers(table):
        raise SertfError("sertf audit needs the speakers, but they are unknown; name them with --speakers.")
    listed = fold_lists.read(options.folds, table)
    named = {utterance for fold in listed.folds for ids in fold.parts.values() for utterance in ids}
    digests, unread = _digests(table[table["utterance"].isin(named)])
    found = fold_lists.shared(listed.folds, table, digests)
    leaks = list(dict.fromkeys(name for fold in found for name in fold.leaks))
    verdict = f"leaks: {', '.join(leaks)}" if leaks else "clean"
    if options.json:
        content = {"verdict": verdict, "folds": [fold.to_dict() for fold in found]}
        shared.print_json({**content, "unmatched": listed.unmatched, "unread": unread})
        return
    for fold in found:
        print(_line(fold))
    if listed.unmatched:
        print(f"{len(listed.unmatched)} names of the list are not in the table, such as {listed.unmatched[0]}.")
    if unread:
        print(f"{len(unread)} files could not be read, so their copies are not known, such as {unread[0]}.")
    print(f"Verdict: {verdict}.")


def _digests(table):
    """Digest of the decoded audio by utterance, and the files that cannot be read."""
    from sertf.audio.files import AudioError, audio_digest, read_audio
    from sertf.extraction.clip import usable_cores
    from sertf.parallel.progress import shown

    def digest(path):
        with contextlib.suppress(AudioError):
            return audio_digest(*read_audio(path))

    digests, unread = {}, []
    with ThreadPoolExecutor(usable_cores()) as pool, shown("Reading", len(table)) as advance:
        for utterance, path, found in zip(table["utterance"], table["path"], pool.map(digest, table["path"])):
            if found is None:
                unread.append(path)
            else:
                digests[utterance] = found
            advance(1)
    return digests, unread


def _line(fold):
    validation = f", {fold.validation} validation" if fold.validation else ""
    parts = [f"{len(fold.speakers)} of {fold.tested_speakers} tested speakers also train"]
    if fold.utterances:
        parts.append(f"{len(fold.utterances)} tested utterances also train, such as {fold.utterances[0]}")
    pairs = f", such as {' and '.join(fold.copies[0])}" if fold.copies else ""
    parts.append(f"{len(fold.copies)} copies{pairs}")
    if fold.tested_texts:
        parts.append(f"{fold.texts} of {fold.tested_texts} tested texts also train")
    return f"{fold.fold}: {fold.train} train{validation}, {fold.test} test; {'; '.join(parts)}"
