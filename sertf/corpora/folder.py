"""Shared by the corpus files: the scan of a folder, the list of bad files, the check for completeness."""

import collections
import dataclasses
import os
import re
import warnings
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sertf.audio.files import SUFFIXES
from sertf.corpora.card import Corpus, CorpusError, CorpusWarning
from sertf.corpora.utterances import EMOTIONS, validate
from sertf.errors import expanded, listing

if TYPE_CHECKING:
    import pandas

Expected = Mapping[tuple[str, str], int] | Mapping[tuple[None, str], int]
"""Utterances of each (speaker, emotion) in the complete corpus, or of each emotion where the speaker is None."""


class BadFile(Exception):
    """A parser raises it for a file that it cannot parse. `read_folder` collects these."""


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """A parser returns it for a file of the corpus that was not asked for."""

    reason: str


def corpus_root(corpus: Corpus, root: Path | str | None) -> Path:
    """Absolute folder of a corpus: `root`, or the one folder in it with the corpus's name."""
    if root is None:
        raise CorpusError(f"{corpus.name} needs root, the folder that holds it; get it from {corpus.url}")
    root = expanded(root)
    if not root.exists():
        raise CorpusError(f"{root}: no such folder; give the folder that holds {corpus.name} ({corpus.url})")
    if not root.is_dir():
        raise CorpusError(f"{root}: not a folder; give the folder that holds {corpus.name} ({corpus.url})")
    named = [folder for folder in sorted(root.iterdir()) if _plain(folder.name) == corpus.name and folder.is_dir()]
    if len(named) > 1:
        raise CorpusError(
            f"{root}: several folders could be {corpus.name}: {', '.join(folder.name for folder in named)}; name one"
        )
    return named[0] if named else root


def locate(corpus: Corpus, data: Path | str) -> Path | None:
    """Folder of a corpus below a folder of corpora, or that folder itself if it has the corpus's name, or None."""
    data = expanded(data)
    folders = [data, *(sorted(data.iterdir()) if data.is_dir() else ())]
    return next((folder for folder in folders if _plain(folder.name) == corpus.name and folder.is_dir()), None)


def _plain(name):
    return re.sub(r"[^a-z0-9]", "", name.lower())


def find_files(root: Path | str, suffixes: Collection[str] = SUFFIXES) -> list[Path]:
    """Files below a folder with one of the suffixes in either case, sorted; hidden files and folders are left out."""
    found = []
    for folder, folders, names in os.walk(root, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__MACOSX"]
        found += [
            Path(folder, name)
            for name in names
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in suffixes
        ]
    return sorted(found)


def match(corpus: Corpus, path: Path) -> dict[str, Any]:
    """Match a file's stem with the corpus's pattern, a dict of its groups; `BadFile` shows what was expected."""
    found = corpus.pattern.fullmatch(path.stem)
    if found is None:
        raise BadFile(f"the name fits no {corpus.name} utterance; a name looks like {Path(corpus.example).name}")
    return found.groupdict()


def decode(code: str, codes: Mapping[str, str], what: str) -> str:
    """Look a code up in a mapping; `BadFile` lists the allowed ones."""
    if code not in codes:
        raise BadFile(f"unknown {what} {code!r}; allowed are {', '.join(codes)}")
    return codes[code]


def read_folder(
    corpus: Corpus,
    root: Path | str | None,
    parse: Callable[[Path], dict[str, Any] | LeftOut],
    *,
    expected: Expected,
    skip_bad: bool,
) -> "pandas.DataFrame":
    """Parse every audio file of a corpus into an utterance table.

    Args:
        corpus: The `Corpus`.
        root: Its folder, or the folder that holds it.
        parse: `parse(path)` gives a row without path and corpus, or a `LeftOut`, or raises `BadFile`.
        expected: {(speaker, emotion): count} of the complete corpus, or {(None, emotion): count}.
        skip_bad: Leave bad files out instead of raising.

    Returns:
        The validated table. `attrs["skipped"]`: [(path, reason)] of bad files. `attrs["left_out"]`: {reason: count} of
        files not asked for. `attrs["missing"]`: lines on what the folder lacks of the complete corpus.

    Raises:
        CorpusError: no folder, no audio file, or bad files (all listed).
    """
    root = corpus_root(corpus, root)
    paths = find_files(root)
    if not paths:
        raise CorpusError(f"{root}: holds no audio file; {corpus.name} looks like {corpus.example} ({corpus.url})")
    rows: list[dict[str, Any]] = []
    bad: list[tuple[str, str]] = []
    left_out: collections.Counter[str] = collections.Counter()
    for path in paths:
        try:
            row = parse(path)
        except BadFile as error:
            bad.append((str(path), str(error)))
            continue
        if isinstance(row, LeftOut):
            left_out[row.reason] += 1
        else:
            rows.append({**row, "path": str(path), "corpus": corpus.name})
    return make_table(corpus, root, rows, bad, left_out=left_out, expected=expected, skip_bad=skip_bad)


def make_table(
    corpus: Corpus,
    root: Path,
    rows: list[dict[str, Any]],
    bad: list[tuple[str, str]],
    *,
    left_out: Mapping[str, int],
    expected: Expected,
    skip_bad: bool,
) -> "pandas.DataFrame":
    """Turn rows and bad files into a validated table; see `read_folder`."""
    first: dict[str, str] = {}
    kept = []
    for row in rows:
        other = first.setdefault(row["utterance"], row["path"])
        if other == row["path"]:
            kept.append(row)
        else:
            bad.append((row["path"], f"the same utterance as {other}; keep one of them"))
    if bad and not skip_bad:
        mend = "mend or remove them, or continue without them with skip_bad=True (--skip-bad)"
        if not rows and not left_out:
            mend = f"no other file is there; give the folder of {corpus.name}, with files like {corpus.example}"
        lines = listing(f"{path}: {reason}" for path, reason in bad)
        raise CorpusError(f"{root}: {len(bad)} files of {corpus.name} are bad; {mend}:\n{lines}")
    if not kept:
        skipped = f"; skipped as bad: {len(bad)}" if bad else ""
        reasons = "".join(f"; {count} left out: {reason}" for reason, count in left_out.items())
        raise CorpusError(f"{root}: holds no utterance of {corpus.name} that was asked for{skipped}{reasons}")
    import pandas

    table = pandas.DataFrame(kept)
    missing = compare(table, expected)
    table.attrs.update(skipped=bad, left_out=dict(left_out), missing=missing)
    if missing:
        warnings.warn(
            f"{root}: {len(table)} of {sum(expected.values())} utterances of {corpus.name}; "
            f"results are not comparable with those on the whole corpus:\n{listing(missing)}",
            CorpusWarning,
            stacklevel=5,
        )
    return validate(table)


def compare(table: "pandas.DataFrame", expected: Expected) -> list[str]:
    """Lines on the differences between a table and the {(speaker, emotion): count} of the complete corpus."""
    by_speaker = any(speaker is not None for speaker, _ in expected)
    speakers = table["speaker"] if by_speaker else [None] * len(table)
    found = collections.Counter(zip(speakers, table["emotion"], strict=True))
    lines = []
    present = {speaker for speaker, _ in found}
    for speaker in dict.fromkeys(speaker for speaker, _ in expected):
        counts = {emotion: count for (who, emotion), count in expected.items() if who == speaker}
        if speaker not in present:
            lines.append(f"{speaker}: all {sum(counts.values())} utterances are missing")
            continue
        for emotion in (emotion for emotion in EMOTIONS if emotion in counts):
            if found[speaker, emotion] != counts[emotion]:
                who = f"{speaker}: " if by_speaker else ""
                lines.append(f"{who}{emotion} {found[speaker, emotion]} of {counts[emotion]}")
    for speaker, emotion in found.keys() - expected.keys():
        who = f"{speaker}: " if by_speaker else ""
        lines.append(f"{who}{emotion} {found[speaker, emotion]} of 0")
    return lines
