"""Parts of a recording, named by its file and times: `call.wav#t=10,12.5` lasts from second 10 to second 12.5.

The form is that of W3C Media Fragments URI 1.0 (2012), section 4.2.1: `#t=10` has no end, `#t=,5` begins at 0. A file that
has such a name itself counts as a whole.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

_FRAGMENT = re.compile(r"(?P<file>.+)#t=(?P<start>\d+(?:\.\d*)?)?(?:,(?P<end>\d+(?:\.\d*)?))?", re.DOTALL)
SLACK_SECONDS = 0.02
"""An end this far behind the recording's is its end, and segments that share less do not overlap: times are rounded."""


class Segment(NamedTuple):
    """A part of a file.

    Attributes:
        file: path of the recording.
        start: seconds from its start.
        end: the same; None for the end of the recording.
    """

    file: str
    start: float
    end: float | None

    @property
    def is_whole(self) -> bool:
        """Whether the segment is the whole file."""
        return self.start == 0 and self.end is None

    @property
    def times(self) -> str:
        """Its times in seconds, as in `10-12.5`; without an end `10-`."""
        return f"{_text(self.start)}-{'' if self.end is None else _text(self.end)}"

    def __str__(self) -> str:
        if self.is_whole:
            return self.file
        return f"{self.file}#t={_text(self.start)}{'' if self.end is None else f',{_text(self.end)}'}"


def _text(seconds):
    return f"{seconds:.6f}".rstrip("0").rstrip(".")


def segment_of(path: Path | str) -> Segment:
    """The segment that a path names.

    >>> segment_of("call.wav#t=10,12.5")
    Segment(file='call.wav', start=10.0, end=12.5)
    """
    text = os.fspath(path)
    found = _FRAGMENT.fullmatch(text) if "#t=" in text else None
    if found is None or (found["start"] is None and found["end"] is None) or _is_file(text):
        return Segment(text, 0.0, None)
    return Segment(found["file"], float(found["start"] or 0), None if found["end"] is None else float(found["end"]))


def is_there(path: Path | str) -> bool:
    """Whether the file of a path or segment is there."""
    return _is_file(segment_of(path).file)


def _is_file(path):
    try:
        return os.path.isfile(path)
    except ValueError:
        return False  # a name that no file can have


def overlapping(paths: Mapping[str, str]) -> dict[str, str]:
    """The utterances that share a part of a recording with another one, each with the name of what they share.

    Args:
        paths: utterance to path or segment.

    >>> overlapping({"a": "x.wav#t=0,5", "b": "x.wav#t=4,9", "c": "x.wav#t=9,12"})
    {'a': 'x.wav#t=0,9', 'b': 'x.wav#t=0,9'}
    """
    if not any("#t=" in path for path in paths.values()):
        return {}
    of_file: dict[str, list[tuple[float, float, str]]] = {}
    for utterance, path in paths.items():
        file, start, end = segment_of(path)
        of_file.setdefault(os.path.realpath(file), []).append((start, float("inf") if end is None else end, utterance))
    found: dict[str, str] = {}
    for file, segments in of_file.items():
        for group in _groups(sorted(segments)):
            end = max(end for _, end, _ in group)
            name = str(Segment(os.path.basename(file), group[0][0], None if end == float("inf") else end))
            # Whole files of one path are duplicates, which their samples tell.
            if len(group) > 1 and any("#t=" in paths[utterance] for *_, utterance in group):
                found.update({utterance: name for *_, utterance in group})
    return {utterance: found[utterance] for utterance in paths if utterance in found}


def _groups(segments: Iterable[tuple[float, float, str]]) -> list[list[tuple[float, float, str]]]:
    """Sorted segments in runs of which each overlaps with the next."""
    groups: list[list[tuple[float, float, str]]] = []
    reached = 0.0
    for segment in segments:
        if groups and segment[0] < reached - SLACK_SECONDS:
            groups[-1].append(segment)
        else:
            groups.append([segment])
            reached = 0.0
        reached = max(reached, segment[1])
    return groups
