"""ESD: ten Mandarin and ten English speakers, five emotions, 350 parallel texts a language."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sertf.corpora.card import Corpus, CorpusError
from sertf.corpora.folder import BadFile, LeftOut, match, read_folder

if TYPE_CHECKING:
    import pandas

WOMEN = {1, 2, 3, 7, 9, 15, 16, 17, 18, 19}
TEXTS = 350
# The numbers of a speaker's files pass through the emotions in this order, 350 each.
ORDER = ("Neutral", "Angry", "Happy", "Sad", "Surprise")
PARTS = ("evaluation", "test", "train")
LANGUAGES = ("zh", "en")


def load(root: Path | str | None, *, skip_bad: bool = False, language: str | None = None) -> "pandas.DataFrame":
    """Load ESD, both languages or `language="en"` or `"zh"`.

    The file's number gives the emotion. A folder that names an emotion must agree with it. Extra column:
    part (`evaluation`, `test`, `train`, or empty where the copy has no such folders).
    """
    if language not in (None, *LANGUAGES):
        raise CorpusError(f"language must be None, 'en' or 'zh'; got {language!r}")

    def parse(path):
        parts = match(CORPUS, path)
        speaker, number = int(parts["speaker"]), int(parts["number"])
        if not 1 <= speaker <= 20:
            raise BadFile(f"unknown speaker {parts['speaker']!r}; allowed are 0001 to 0020")
        if not 1 <= number <= TEXTS * len(ORDER):
            raise BadFile(f"unknown number {parts['number']}; allowed are 000001 to {TEXTS * len(ORDER):06d}")
        code = ORDER[(number - 1) // TEXTS]
        folders = [part.capitalize() for part in path.parts[-3:-1] if part.capitalize() in ORDER]
        if folders and code not in folders:
            raise BadFile(f"number {parts['number']} is {code}, its folder {folders[-1]}; move or rename the file")
        spoken = LANGUAGES[speaker > 10]
        if language not in (None, spoken):
            return LeftOut(f"language {spoken}; language={spoken!r} or None includes it")
        part = path.parent.name.lower()
        return {
            "utterance": f"esd-{path.stem}",
            "emotion": CORPUS.emotions[code],
            "speaker": f"esd-{speaker:04d}",
            "gender": "female" if speaker in WOMEN else "male",
            "language": spoken,
            "sentence": f"{spoken}-{(number - 1) % TEXTS:03d}",
            "part": part if part in PARTS else "",
        }

    expected = {
        (f"esd-{speaker:04d}", emotion): TEXTS
        for speaker in range(1, 21)
        if language in (None, LANGUAGES[speaker > 10])
        for emotion in CORPUS.emotions.values()
    }
    return read_folder(CORPUS, root, parse, expected=expected, skip_bad=skip_bad)


CORPUS = Corpus(
    name="esd",
    title="Emotional Speech Dataset",
    citation=(
        "K. Zhou, B. Sisman, R. Liu and H. Li, Emotional voice conversion: Theory, databases and ESD, Speech "
        "Communication 137, 2022, doi:10.1016/j.specom.2021.11.006"
    ),
    licence="research only, by licence agreement",
    url="https://github.com/HLTSingapore/Emotional-Speech-Data",
    languages=("zh", "en"),
    utterances=35000,
    speakers=20,
    emotions={
        "Angry": "anger",
        "Happy": "happiness",
        "Neutral": "neutral",
        "Sad": "sadness",
        "Surprise": "surprise",
    },
    pattern=re.compile(r"(?P<speaker>\d{4})_(?P<number>\d{6})"),
    example="0011/Angry/0011_000351.wav",
    load=load,
)
