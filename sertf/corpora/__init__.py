"""Corpora: folders of recordings to utterance tables.

`CORPORA` maps a name to its card (`Corpus`: citation, licence, address, label map, name pattern, `load`). A new corpus
is one file, one line here and one test row. Own data needs no code: `load_table` reads a CSV or a folder.
"""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sertf.corpora import casia, cremad, embedded, emodb, emovo, esd, iemocap, nemo, ravdess, savee, tess, urdu
from sertf.corpora.card import Archive, Corpus, CorpusError, CorpusWarning
from sertf.corpora.folder import find_files, locate
from sertf.corpora.own_table import load_table
from sertf.corpora.utterances import validate
from sertf.errors import unknown

if TYPE_CHECKING:
    import pandas

CORPORA: dict[str, Corpus] = {
    "ravdess": ravdess.CORPUS,
    "emodb": emodb.CORPUS,
    "tess": tess.CORPUS,
    "savee": savee.CORPUS,
    "casia": casia.CORPUS,
    "esd": esd.CORPUS,
    "iemocap": iemocap.CORPUS,
    "cremad": cremad.CORPUS,
    "nemo": nemo.CORPUS,
    "emovo": emovo.CORPUS,
    "urdu": urdu.CORPUS,
    "embedded": embedded.CORPUS,
}

__all__ = [
    "CORPORA",
    "Archive",
    "Corpus",
    "CorpusError",
    "CorpusWarning",
    "find_files",
    "load",
    "load_several",
    "load_table",
    "locate",
]


def load(name: str, root: Path | str | None = None, *, skip_bad: bool = False, **options: Any) -> "pandas.DataFrame":
    """Load a corpus as an utterance table.

    Args:
        name: Key of `CORPORA`.
        root: The corpus's folder, or the folder that holds it; the embedded corpus needs none.
        skip_bad: Leave bad files out and list them in `attrs["skipped"]` instead of raising.
        **options: Options of the corpus, such as `song` of RAVDESS; see its file.

    Returns:
        DataFrame as `sertf.corpora.utterances` describes it. `attrs` hold `skipped` ([(path, reason)]), `left_out`
        ({reason: count} of files not asked for) and `missing` (lines on what the folder lacks of the complete corpus).

    Raises:
        CorpusError: unknown name or option, no folder, no audio, bad files (all listed at once).

    Warns:
        CorpusWarning: the folder does not hold the complete corpus.
    """
    if name not in CORPORA:
        raise CorpusError(unknown("corpus", name, CORPORA))
    corpus = CORPORA[name]
    known = [option for option in inspect.signature(corpus.load).parameters if option not in ("root", "skip_bad")]
    foreign = [option for option in options if option not in known]
    if foreign:
        raise CorpusError(
            f"{name} has no option {', '.join(foreign)}; its options are: {', '.join(known) if known else 'none'}"
        )
    return corpus.load(root, skip_bad=skip_bad, **options)


def load_several(folders: Mapping[str, Path | str | None], *, skip_bad: bool = False) -> "pandas.DataFrame":
    """Load several corpora as one utterance table. An emotion has the same name in all of them.

    Args:
        folders: Mapping of a corpus's name to its folder, or the folder that holds it.
        skip_bad: As for `load`.

    Returns:
        DataFrame as from `load`, one corpus after the other. A column that a corpus lacks is "" in its rows.

    Raises:
        CorpusError, CorpusWarning: as `load`.
    """
    import pandas

    tables = [load(name, root, skip_bad=skip_bad) for name, root in folders.items()]
    columns = dict.fromkeys(column for table in tables for column in table.columns)
    lacking = [{column: "" for column in columns if column not in table} for table in tables]
    joined = pandas.concat([table.assign(**more) for table, more in zip(tables, lacking)], ignore_index=True)
    joined.attrs = {
        "skipped": [bad for table in tables for bad in table.attrs["skipped"]],
        "left_out": {reason: count for table in tables for reason, count in table.attrs["left_out"].items()},
        "missing": [line for table in tables for line in table.attrs["missing"]],
    }
    return validate(joined)
