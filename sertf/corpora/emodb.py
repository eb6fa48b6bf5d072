"""EmoDB: ten German actors, ten sentences, seven emotions. It holds only takes that listeners recognized."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sertf.corpora.card import Archive, Corpus
from sertf.corpora.folder import decode, match, read_folder

if TYPE_CHECKING:
    import pandas

GENDERS = {
    "03": "male",
    "08": "female",
    "09": "female",
    "10": "male",
    "11": "male",
    "12": "male",
    "13": "female",
    "14": "female",
    "15": "male",
    "16": "female",
}
SENTENCES = {code: code for code in ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")}
# Takes that passed the listening test, by emotion, in the order of GENDERS.
COUNTS = {
    "N": (11, 10, 9, 4, 9, 4, 9, 7, 11, 5),
    "T": (7, 9, 4, 3, 7, 4, 5, 10, 4, 9),
    "W": (14, 12, 13, 10, 11, 12, 12, 16, 13, 14),
    "A": (4, 6, 1, 8, 10, 6, 7, 12, 8, 7),
    "E": (1, 0, 8, 1, 2, 2, 8, 8, 5, 11),
    "F": (7, 11, 4, 4, 8, 2, 10, 8, 6, 11),
    "L": (5, 10, 4, 8, 8, 5, 10, 8, 9, 14),
}


def load(root: Path | str | None, *, skip_bad: bool = False) -> "pandas.DataFrame":
    """Load EmoDB. Extra column: take (`a` to `f`)."""

    def parse(path):
        parts = match(CORPUS, path)
        return {
            "utterance": f"emodb-{path.stem}",
            "emotion": decode(parts["emotion"], CORPUS.emotions, "emotion"),
            "speaker": f"emodb-{parts['speaker']}",
            "gender": decode(parts["speaker"], GENDERS, "speaker"),
            "language": "de",
            "sentence": decode(parts["sentence"], SENTENCES, "sentence"),
            "take": parts["take"],
        }

    expected = {
        (f"emodb-{speaker}", CORPUS.emotions[letter]): count
        for letter, counts in COUNTS.items()
        for speaker, count in zip(GENDERS, counts, strict=True)
    }
    return read_folder(CORPUS, root, parse, expected=expected, skip_bad=skip_bad)


CORPUS = Corpus(
    name="emodb",
    title="Berlin Database of Emotional Speech",
    citation=(
        "F. Burkhardt, A. Paeschke, M. Rolfes, W. F. Sendlmeier and B. Weiss, A Database of German Emotional Speech, "
        "Interspeech 2005, doi:10.21437/Interspeech.2005-446"
    ),
    licence="free to use, no formal licence",
    url="http://emodb.bilderbar.info",
    languages=("de",),
    utterances=535,
    speakers=10,
    emotions={
        "W": "anger",
        "L": "boredom",
        "E": "disgust",
        "A": "fear",
        "F": "happiness",
        "T": "sadness",
        "N": "neutral",
    },
    pattern=re.compile(r"(?P<speaker>\d\d)(?P<sentence>[ab]\d\d)(?P<emotion>[A-Z])(?P<take>[a-z])"),
    example="wav/03a01Fa.wav",
    load=load,
    archive=Archive(url="http://emodb.bilderbar.info/download/download.zip", megabytes=40.5),
)
