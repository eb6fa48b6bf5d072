"""nEMO: nine Polish actors, ninety sentences, six emotions."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sertf.corpora.card import Corpus
from sertf.corpora.folder import decode, match, read_folder

if TYPE_CHECKING:
    import pandas

# data.tsv of the corpus.
GENDERS = {
    "EB0": "female",
    "IC0": "female",
    "KD0": "female",
    "MK0": "female",
    "KS0": "male",
    "MP0": "male",
    "SM0": "male",
    "TP0": "male",
    "WR0": "male",
}
COUNTS = {"anger": 749, "fear": 736, "happiness": 749, "neutral": 809, "sadness": 769, "surprised": 669}


def load(root: Path | str | None, *, skip_bad: bool = False) -> "pandas.DataFrame":
    """Load nEMO; the number of the sentence is its name."""

    def parse(path):
        parts = match(CORPUS, path)
        return {
            "utterance": f"nemo-{path.stem}",
            "emotion": decode(parts["emotion"], CORPUS.emotions, "emotion"),
            "speaker": f"nemo-{parts['speaker']}",
            "gender": decode(parts["speaker"], GENDERS, "speaker"),
            "language": "pl",
            "sentence": parts["sentence"],
        }

    expected = {(None, CORPUS.emotions[code]): count for code, count in COUNTS.items()}
    return read_folder(CORPUS, root, parse, expected=expected, skip_bad=skip_bad)


CORPUS = Corpus(
    name="nemo",
    title="nEMO: Dataset of Emotional Speech in Polish",
    citation="I. Christop, nEMO: Dataset of Emotional Speech in Polish, LREC-COLING 2024, arXiv:2404.06292",
    licence="CC BY-NC-SA 4.0",
    url="https://github.com/amu-cai/nEMO",
    languages=("pl",),
    utterances=4481,
    speakers=9,
    emotions={
        "anger": "anger",
        "fear": "fear",
        "happiness": "happiness",
        "neutral": "neutral",
        "sadness": "sadness",
        "surprised": "surprise",
    },
    pattern=re.compile(r"(?P<speaker>[A-Z]{2}\d)_(?P<emotion>[a-z]+)_(?P<sentence>\d+)"),
    example="samples/EB0_anger_1.wav",
    load=load,
)
