"""SAVEE: four British men, seven emotions, phonetically balanced TIMIT sentences."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sertf.corpora.card import Corpus
from sertf.corpora.folder import BadFile, decode, match, read_folder

if TYPE_CHECKING:
    import pandas

SPEAKERS = {speaker: speaker for speaker in ("DC", "JE", "JK", "KL")}


def load(root: Path | str | None, *, skip_bad: bool = False) -> "pandas.DataFrame":
    """Load SAVEE, as `DC/a01.wav` or `DC_a01.wav`.

    The sentence is the emotion's letters and the number, the same text for all speakers. Three sentences are common to
    the emotions; each emotion names them by its letters.
    """

    def parse(path):
        parts = match(CORPUS, path)
        speaker = decode(parts["speaker"] or path.parent.name, SPEAKERS, "speaker (folder or start of the name)")
        emotion = decode(parts["emotion"], CORPUS.emotions, "emotion")
        if not 1 <= int(parts["number"]) <= _sentences(emotion):
            raise BadFile(f"unknown sentence {parts['number']}; {emotion} has 01 to {_sentences(emotion)}")
        sentence = parts["emotion"] + parts["number"]
        return {
            "utterance": f"savee-{speaker}_{sentence}",
            "emotion": emotion,
            "speaker": f"savee-{speaker}",
            "gender": "male",
            "language": "en",
            "sentence": sentence,
        }

    expected = {
        (f"savee-{speaker}", emotion): _sentences(emotion)
        for speaker in SPEAKERS
        for emotion in CORPUS.emotions.values()
    }
    return read_folder(CORPUS, root, parse, expected=expected, skip_bad=skip_bad)


def _sentences(emotion):
    return 30 if emotion == "neutral" else 15


CORPUS = Corpus(
    name="savee",
    title="Surrey Audio-Visual Expressed Emotion",
    citation=(
        "S. Haq and P. J. B. Jackson, Multimodal Emotion Recognition, in W. Wang (ed.), Machine Audition: Principles, "
        "Algorithms and Systems, IGI Global, 2010, doi:10.4018/978-1-61520-919-4.ch017"
    ),
    licence="free for research, on registration",
    url="http://kahlan.eps.surrey.ac.uk/savee",
    languages=("en",),
    utterances=480,
    speakers=4,
    emotions={
        "a": "anger",
        "d": "disgust",
        "f": "fear",
        "h": "happiness",
        "n": "neutral",
        "sa": "sadness",
        "su": "surprise",
    },
    pattern=re.compile(r"(?:(?P<speaker>[A-Z]{2})_)?(?P<emotion>[a-z]{1,2})(?P<number>\d\d)"),
    example="DC/a01.wav",
    load=load,
)
