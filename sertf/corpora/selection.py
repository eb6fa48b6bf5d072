"""Corpora on a command line: folders by name, single languages, corpora to train on and to test on."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sertf import corpora
from sertf.errors import SertfError, expanded, unknown

if TYPE_CHECKING:
    import pandas

LANGUAGES = {
    name: tuple(f"{name}_{language}" for language in corpus.languages) if len(corpus.languages) > 1 else ()
    for name, corpus in corpora.CORPORA.items()
}
"""Names of each corpus's single languages, such as `esd_en`; empty for a corpus of one language."""
CHOICES = [choice for name in corpora.CORPORA for choice in (name, *LANGUAGES[name])]
"""Names to train on: every corpus, and each single language."""


def data_folder(given: Path | str | None) -> Path | None:
    """The folder from `--data`, else from the environment variable SERTF_DATA, else None."""
    folder = given or os.environ.get("SERTF_DATA")
    return Path(folder) if folder else None


def load(name: str, data: Path | str | None = None, *, skip_bad: bool = False) -> "pandas.DataFrame":
    """The utterances of a corpus, or of one of its languages, such as "esd_en".

    Args:
        name: one of `CHOICES`.
        data: folder of the corpus or of several; None uses SERTF_DATA.
        skip_bad: as for `sertf.corpora.load`.

    Raises:
        SertfError: an unknown name, no folder, or as `sertf.corpora.load`.
    """
    if name not in CHOICES:
        raise SertfError(unknown("corpus", name, CHOICES))
    # The embedded corpus is made in the given folder, not among the real ones.
    folder = data if name == "embedded" else data_folder(data)
    if folder is None and name != "embedded":
        raise SertfError(
            f"{name} needs --data, the folder that holds it, or SERTF_DATA; `sertf corpora` shows where to get it."
        )
    table = corpora.load(name.partition("_")[0], folder, skip_bad=skip_bad)
    return of_languages(table, (name,))


def folders_of(data: Sequence[str]) -> dict[str, Path | str]:
    """The folder of each corpus by its name, from the values of `--data`: CORPUS=FOLDER of each, or one folder of all.

    Raises:
        SertfError: an unknown or repeated corpus, or a folder without folders of corpora in it.
    """
    known = ", ".join(corpora.CORPORA)
    folders: dict[str, Any] = {}
    if len(data) == 1 and data[0].partition("=")[0] not in corpora.CORPORA:
        parent = expanded(data[0])
        found = sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []
        for path in found:
            name = path.name.lower()
            if name in folders:
                raise SertfError(
                    f"--data {data[0]} holds several folders of {name}, {folders[name].name} and {path.name}; give "
                    "CORPUS=FOLDER for each corpus."
                )
            if name in corpora.CORPORA:
                folders[name] = path
        if not folders:
            raise SertfError(
                f"--data {data[0]} holds no folder named as a corpus ({known}); give CORPUS=FOLDER for each corpus."
            )
        return folders
    for value in data:
        name, _, folder = value.partition("=")
        if not folder.strip() or name not in corpora.CORPORA:
            raise SertfError(f"--data {value} must be CORPUS=FOLDER with a corpus of {known}.")
        if name in folders:
            raise SertfError(f"--data gives {name} twice, {folders[name]} and {folder}; give one of them.")
        folders[name] = folder
    return folders


def speakers_in(name: str) -> int:
    """Number of speakers of a complete corpus, or of one of its languages, such as "esd_en"."""
    corpus = corpora.CORPORA[name.partition("_")[0]]
    return corpus.speakers // (len(corpus.languages) if name in LANGUAGES[corpus.name] else 1)


def others_of(trained: str, folders: Mapping[str, Path | str]) -> tuple[str, ...]:
    """The corpora to test on, a tuple. After training on one language, its corpus's other languages are among them.

    Raises:
        SertfError: the folders lack the training corpus, or hold no other.
    """
    given = f"--data gives {', '.join(folders)}" if folders else "there is no --data"
    corpus = trained.partition("_")[0]
    if corpus not in folders:
        raise SertfError(f"To train on {trained} its recordings are needed, but {given}; add --data {corpus}=FOLDER.")
    siblings = LANGUAGES[corpus] if trained != corpus else ()
    others = (*siblings, *(name for name in folders if name != corpus))
    if not others:
        raise SertfError(f"To test on another corpus than {trained} its recordings are needed, but {given}.")
    return tuple(name for name in others if name != trained)


def of_languages(table: "pandas.DataFrame", names: Iterable[str]) -> "pandas.DataFrame":
    """The utterances of the named corpora. A single language counts as a corpus.

    Args:
        table: utterance table.
        names: names such as "esd_en" or "emodb". Without a single language among them the table stays as it is.

    Raises:
        SertfError: a language without utterances; the message lists the languages with some.
    """
    alone = [name for name in names if "_" in name]
    if not alone:
        return table
    of_language = table["corpus"] + "_" + table["language"]
    absent = sorted(set(alone) - set(of_language))
    if absent:
        raise SertfError(
            f"The recordings hold no utterances of {', '.join(absent)}; they are of {', '.join(sorted(set(of_language)))}."
        )
    named = table.assign(corpus=of_language.where(of_language.isin(alone), table["corpus"]))
    kept = named[named["corpus"].isin(names)]
    kept.attrs.update(table.attrs)
    return kept
