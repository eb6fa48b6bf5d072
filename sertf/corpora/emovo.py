"""EMOVO: six Italian actors, fourteen sentences, seven emotions."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sertf.corpora.card import Corpus
from sertf.corpora.folder import decode, match, read_folder

if TYPE_CHECKING:
    import pandas

SPEAKERS = {code: "female" if code[0] == "f" else "male" for code in ("f1", "f2", "f3", "m1", "m2", "m3")}


def load(root: Path | str | None, *, skip_bad: bool = False) -> "pandas.DataFrame":
    """Load EMOVO; the sentence's code, such as `b1`, is its name."""

    def parse(path):
        parts = match(CORPUS, path)
        return {
            "utterance": f"emovo-{path.stem}",
            "emotion": decode(parts["emotion"], CORPUS.emotions, "emotion"),
            "speaker": f"emovo-{parts['speaker']}",
            "gender": decode(parts["speaker"], SPEAKERS, "speaker"),
            "language": "it",
            "sentence": parts["sentence"],
        }

    expected = {(f"emovo-{speaker}", emotion): 14 for speaker in SPEAKERS for emotion in CORPUS.emotions.values()}
    return read_folder(CORPUS, root, parse, expected=expected, skip_bad=skip_bad)


CORPUS = Corpus(
    name="emovo",
    title="EMOVO Corpus: an Italian Emotional Speech Database",
    citation=(
        "G. Costantini, I. Iaderola, A. Paoloni and M. Todisco, EMOVO Corpus: an Italian Emotional Speech Database, LREC 2014"
    ),
    licence="for research; ask the authors for other uses",
    url="http://voice.fub.it/activities/corpora/emovo/index.html",
    languages=("it",),
    utterances=588,
    speakers=6,
    emotions={
        "dis": "disgust",
        "gio": "happiness",  # gioia
        "neu": "neutral",
        "pau": "fear",  # paura
        "rab": "anger",  # rabbia
        "sor": "surprise",  # sorpresa
        "tri": "sadness",  # tristezza
    },
    pattern=re.compile(r"(?P<emotion>[a-z]{3})-(?P<speaker>[a-z]\d)-(?P<sentence>[bdln]\d)"),
    example="f1/dis-f1-b1.wav",
    load=load,
)
