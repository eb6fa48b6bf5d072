"""Own data in folders: one folder a class, as `data/angry/1.wav`. Folders inside a class belong to it."""

from pathlib import Path

from sertf.audio import files, media
from sertf.corpora.card import CorpusError
from sertf.corpora.folder import find_files
from sertf.corpora.records import Records


def read(folder: Path) -> Records:
    """Read the audio files below a folder. The folder in it that holds a file is the file's label.

    Raises:
        CorpusError: no audio files, or some that lie in no folder of a class.
    """
    paths = [path.relative_to(folder) for path in find_files(folder, files.SUFFIXES | media.SUFFIXES)]
    if not paths:
        raise CorpusError(f"{folder}: holds no audio files; give a folder with one folder a class, as data/angry/1.wav")
    loose = [path for path in paths if len(path.parts) == 1]
    if loose:
        raise CorpusError(
            f"{folder}: {len(loose)} audio files lie in no folder of a class, such as {loose[0]}; move each into the "
            "folder of its label, or give a CSV"
        )
    rows = [(path.as_posix(), {"path": path.as_posix(), "emotion": path.parts[0]}) for path in paths]
    return Records(folder, folder.resolve().name, folder, ["path", "emotion"], False, rows)
