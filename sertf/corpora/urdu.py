"""URDU-Dataset: talk shows from television, four emotions.

The authors state 38 speakers. The names of the published files hold 29.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sertf.corpora.card import Corpus
from sertf.corpora.folder import decode, match, read_folder

if TYPE_CHECKING:
    import pandas

GENDERS = {"F": "female", "M": "male"}


def load(root: Path | str | None, *, skip_bad: bool = False) -> "pandas.DataFrame":
    """Load the URDU-Dataset. The sentences are unknown: no two clips have the same one."""

    def parse(path):
        parts = match(CORPUS, path)
        return {
            "utterance": f"urdu-{path.stem}",
            "emotion": decode(parts["emotion"], CORPUS.emotions, "emotion"),
            "speaker": f"urdu-{parts['speaker']}",
            "gender": GENDERS[parts["gender"]],
            "language": "ur",
            "sentence": "",
        }

    expected = {(None, emotion): 100 for emotion in CORPUS.emotions.values()}
    return read_folder(CORPUS, root, parse, expected=expected, skip_bad=skip_bad)


CORPUS = Corpus(
    name="urdu",
    title="URDU-Dataset",
    citation=(
        "S. Latif, A. Qayyum, M. Usman and J. Qadir, Cross Lingual Speech Emotion Recognition: Urdu vs. Western Languages, "
        "FIT 2018, arXiv:1812.10411"
    ),
    licence="not stated",
    url="https://github.com/siddiquelatif/URDU-Dataset",
    languages=("ur",),
    utterances=400,
    speakers=29,
    emotions={"A": "anger", "H": "happiness", "N": "neutral", "S": "sadness"},
    pattern=re.compile(r"(?P<speaker>S(?P<gender>[FM])\d+)_F\d+_(?P<emotion>[A-Z])\d+"),
    example="Angry/SM1_F1_A01.wav",
    load=load,
)
