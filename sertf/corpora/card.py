"""A corpus's card (citation, licence, address, label map, name pattern, loader), and the errors of corpora."""

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
    """A corpus's open archive.

    Attributes:
        url: Address of a ZIP file.
        megabytes: Size of the download, in millions of bytes.
        checksum: As the publisher gives it, `md5:...`; None if there is none.
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
        citation: What to cite.
        licence: Terms of use, as the owners state them.
        url: Where to get it.
        languages: ISO 639-1 codes.
        utterances: Number in the complete corpus with default options.
        speakers: Number of speakers.
        emotions: The corpus's codes to canonical emotions.
        pattern: Regular expression for a file name's stem; groups name its parts.
        example: One path in the official layout.
        load: `load(root, *, skip_bad=False, ...)` to an utterance table.
        archive: Its open `Archive`; None if it must be requested.
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
