"""TESS: two Canadian women, 200 words in a carrier phrase ("Say the word ..."), seven emotions.

The originals are not uniform. Most files have 24,414 Hz, one has 96 kHz, and two are AIFF files named .wav. One of
speaker OAF is named `OA_bite_neutral.wav`. sertf reads all of these.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sertf.corpora.card import Corpus
from sertf.corpora.folder import decode, match, read_folder

if TYPE_CHECKING:
    import pandas

SPEAKERS = {"OAF": "OAF", "OA": "OAF", "YAF": "YAF"}  # OAF is 64 years old, YAF 26


def load(root: Path | str | None, *, skip_bad: bool = False) -> "pandas.DataFrame":
    """Load TESS; the word is the sentence."""

    def parse(path):
        parts = match(CORPUS, path)
        speaker = decode(parts["speaker"], SPEAKERS, "speaker")
        return {
            "utterance": f"tess-{speaker}_{parts['word']}_{parts['emotion']}",
            "emotion": decode(parts["emotion"], CORPUS.emotions, "emotion"),
            "speaker": f"tess-{speaker}",
            "gender": "female",
            "language": "en",
            "sentence": parts["word"],
        }

    speakers = dict.fromkeys(SPEAKERS.values())
    expected = {(f"tess-{speaker}", emotion): 200 for speaker in speakers for emotion in CORPUS.emotions.values()}
    return read_folder(CORPUS, root, parse, expected=expected, skip_bad=skip_bad)


CORPUS = Corpus(
    name="tess",
    title="Toronto Emotional Speech Set",
    citation=(
        "M. K. Pichora-Fuller and K. Dupuis, Toronto emotional speech set (TESS), Scholars Portal Dataverse, 2020, "
        "doi:10.5683/SP2/E8H2MF"
    ),
    licence="CC BY-NC-ND 4.0",
    url="https://doi.org/10.5683/SP2/E8H2MF",
    languages=("en",),
    utterances=2800,
    speakers=2,
    emotions={
        "angry": "anger",
        "disgust": "disgust",
        "fear": "fear",
        "happy": "happiness",
        "neutral": "neutral",
        "ps": "surprise",  # "pleasant surprise"
        "sad": "sadness",
    },
    pattern=re.compile(r"(?P<speaker>[A-Z]+)_(?P<word>[a-z']+)_(?P<emotion>[a-z]+)"),
    example="OAF_angry/OAF_back_angry.wav",
    load=load,
)
