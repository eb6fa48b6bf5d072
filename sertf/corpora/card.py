"""A corpus's card: citation, licence, address, label map, name pattern, loader; and what goes wrong with corpora."""

import dataclasses
import re
from collections.abc import Callable, Mapping

from sertf.errors import SertfError


class CorpusError(SertfError):
    """A corpus that cannot be loaded; the message lists every bad file and the mend."""


class CorpusWarning(UserWarning):
    """A corpus that holds less (or more) than it should."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Archive:
    """An archive of a corpus that anyone may download.

    Attributes:
        url: Of a ZIP file.
        megabytes: To download, in millions of bytes.
        checksum: As its makers publish it, `md5:...`; None where they publish none.
    """

    url: str
    megabytes: float
    checksum: str | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Corpus:
    """A corpus's card.

    Attributes:
        name: Key in `CORPORA`, prefix of utterances and speakers.
        title: Full name.
        citation: Whom to cite.
        licence: Terms of use, as its makers state them.
        url: Where to get it.
        languages: ISO 639-1 codes.
        utterances: How many the complete corpus holds with default options.
        speakers: How many speak them.
        emotions: The corpus's own codes to canonical emotions.
        pattern: What a file name's stem looks like; groups name its parts.
        example: One path in the official layout.
        load: `load(root, *, skip_bad=False, ...)` to an utterance table.
        archive: Its open `Archive`; None where its makers have to be asked.
    """

    name: str
    title: str
    citation: str
    licence: str
    url: str
    languages: tuple[str, ...]
    utterances: int
    speakers: int
    emotions: Mapping[str, str]
    pattern: re.Pattern
    example: str
    load: Callable
    archive: Archive | None = None
