"""CASIA: four Mandarin speakers, six emotions, fifty texts (201 to 250) spoken by everyone in every emotion."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sertf.corpora.card import Corpus
from sertf.corpora.folder import BadFile, decode, match, read_folder

if TYPE_CHECKING:
    import pandas

# Folder names vary in case. The corpus does not state who is a woman, so gender is empty.
SPEAKERS = {name.lower(): name for name in ("liuchanhg", "wangzhe", "zhaoquanyin", "ZhaoZuoxiang")}


def load(root: Path | str | None, *, skip_bad: bool = False) -> "pandas.DataFrame":
    """Load CASIA's published part, as `liuchanhg/angry/201.wav` or `201-angry-liuchanhg.wav`; gender is unknown."""

    def parse(path):
        parts = match(CORPUS, path)
        code = (parts["emotion"] or path.parent.name).lower()
        emotion = decode(code, CORPUS.emotions, "emotion (folder or middle of the name)")
        # Without a speaker in the name, the official layout has the speaker's folder above the emotion's.
        name = (parts["speaker"] or path.parent.parent.name).lower()
        speaker = decode(name, SPEAKERS, "speaker (folder or end of the name)")
        if not 201 <= int(parts["sentence"]) <= 250:
            raise BadFile(f"unknown text {parts['sentence']}; allowed are 201 to 250")
        return {
            "utterance": f"casia-{parts['sentence']}-{code}-{speaker}",
            "emotion": emotion,
            "speaker": f"casia-{speaker}",
            "gender": "",
            "language": "zh",
            "sentence": parts["sentence"],
        }

    expected = {
        (f"casia-{speaker}", emotion): 50 for speaker in SPEAKERS.values() for emotion in CORPUS.emotions.values()
    }
    return read_folder(CORPUS, root, parse, expected=expected, skip_bad=skip_bad)


CORPUS = Corpus(
    name="casia",
    title="CASIA Chinese Emotional Speech Corpus",
    citation=(
        "J. Tao, F. Liu, M. Zhang and H. Jia, Design of Speech Corpus for Mandarin Text to Speech, "
        "Blizzard Challenge 2008 workshop"
    ),
    licence="research only, by agreement with the Institute of Automation, Chinese Academy of Sciences",
    url="http://www.chineseldc.org",
    languages=("zh",),
    utterances=1200,
    speakers=4,
    emotions={
        "angry": "anger",
        "fear": "fear",
        "happy": "happiness",
        "neutral": "neutral",
        "sad": "sadness",
        "surprise": "surprise",
    },
    pattern=re.compile(r"(?P<sentence>\d{3})(?:-(?P<emotion>[A-Za-z]+)-(?P<speaker>[A-Za-z]+))?"),
    example="liuchanhg/angry/201.wav",
    load=load,
)
