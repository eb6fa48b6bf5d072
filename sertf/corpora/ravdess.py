"""RAVDESS: 24 actors of Toronto, two sentences, eight emotions, two intensities."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sertf.corpora.card import Archive, Corpus
from sertf.corpora.folder import BadFile, LeftOut, decode, match, read_folder

if TYPE_CHECKING:
    import pandas

INTENSITIES = {"01": "normal", "02": "strong"}
CHANNELS = {"01": "speech", "02": "song"}


def load(root: Path | str | None, *, skip_bad: bool = False, song: bool = False) -> "pandas.DataFrame":
    """Load RAVDESS's audio-only speech; with `song=True` the sung part too.

    Extra columns: intensity (`normal`, `strong`), take (1, 2), channel (`speech`, `song`).
    """

    def parse(path):
        parts = match(CORPUS, path)
        if parts["modality"] != "03":
            raise BadFile(f"modality {parts['modality']} is a video's sound; only audio-only files (03) are utterances")
        channel = decode(parts["channel"], CHANNELS, "channel")
        emotion = decode(parts["emotion"], CORPUS.emotions, "emotion")
        intensity = decode(parts["intensity"], INTENSITIES, "intensity")
        actor = int(parts["actor"])
        if not 1 <= actor <= 24:
            raise BadFile(f"unknown actor {parts['actor']!r}; allowed are 01 to 24")
        if channel == "song" and not song:
            return LeftOut("song; song=True includes it")
        return {
            "utterance": f"ravdess-{path.stem}",
            "emotion": emotion,
            "speaker": f"ravdess-{actor:02d}",
            "gender": "male" if actor % 2 else "female",
            "language": "en",
            "sentence": parts["sentence"],
            "intensity": intensity,
            "take": int(parts["take"]),
            "channel": channel,
        }

    return read_folder(CORPUS, root, parse, expected=_expected(song), skip_bad=skip_bad)


def _expected(song):
    expected = {}
    for actor in range(1, 25):
        for emotion in CORPUS.emotions.values():
            count = 4 if emotion == "neutral" else 8  # neutral has no strong intensity
            # Actor 18 did not sing, and nobody sang disgust or surprise.
            sung = count if song and actor != 18 and emotion not in ("disgust", "surprise") else 0
            expected[f"ravdess-{actor:02d}", emotion] = count + sung
    return expected


CORPUS = Corpus(
    name="ravdess",
    title="Ryerson Audio-Visual Database of Emotional Speech and Song",
    citation=(
        "S. R. Livingstone and F. A. Russo, The Ryerson Audio-Visual Database of Emotional Speech and Song (RAVDESS), "
        "PLoS ONE 13(5): e0196391, 2018, doi:10.1371/journal.pone.0196391"
    ),
    licence="CC BY-NC-SA 4.0",
    url="https://zenodo.org/records/1188976",
    languages=("en",),
    utterances=1440,
    speakers=24,
    emotions={
        "01": "neutral",
        "02": "calm",
        "03": "happiness",
        "04": "sadness",
        "05": "anger",
        "06": "fear",
        "07": "disgust",
        "08": "surprise",
    },
    pattern=re.compile(
        r"(?P<modality>\d\d)-(?P<channel>\d\d)-(?P<emotion>\d\d)-(?P<intensity>\d\d)"
        r"-(?P<sentence>0[12])-(?P<take>0[12])-(?P<actor>\d\d)"
    ),
    example="Actor_01/03-01-06-01-02-01-01.wav",
    load=load,
    archive=Archive(
        url="https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip",
        megabytes=208.5,
        checksum="md5:bc696df654c87fed845eb13823edef8a",
    ),
)
