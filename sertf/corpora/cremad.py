"""CREMA-D: 91 English actors, twelve sentences, six emotions, and listeners' votes on each clip.

The label of a name is the emotion that the actor was asked for. `votes=True` takes the one that listeners heard, from
`processedResults/summaryTable.csv`. They heard the voice alone.

No digests of its files were at hand, so sertf checks names and numbers alone.
"""

import collections
import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING

from sertf.corpora.card import Corpus, CorpusError
from sertf.corpora.folder import BadFile, LeftOut, corpus_root, decode, match, read_folder

if TYPE_CHECKING:
    import pandas

# VideoDemographics.csv of the corpus.
WOMEN = frozenset(
    {1002, 1003, 1004, 1006, 1007, 1008, 1009, 1010, 1012, 1013, 1018, 1020, 1021, 1024, 1025, 1028, 1029, 1030, 1037}
    | {1043, 1046, 1047, 1049, 1052, 1053, 1054, 1055, 1056, 1058, 1060, 1061, 1063, 1072, 1073, 1074, 1075, 1076}
    | {1078, 1079, 1082, 1084, 1089, 1091}
)
SENTENCES = {
    code: code for code in ("DFA", "IEO", "IOM", "ITH", "ITS", "IWL", "IWW", "MTI", "TAI", "TIE", "TSI", "WSI")
}
LEVELS = {"LO": "low", "MD": "medium", "HI": "high", "XX": "unspecified", "X": "unspecified"}  # X in one file's name
COUNTS = {"ANG": 1271, "DIS": 1271, "FEA": 1271, "HAP": 1271, "NEU": 1087, "SAD": 1271}
VOTES = {"A": "anger", "D": "disgust", "F": "fear", "H": "happiness", "N": "neutral", "S": "sadness"}
TABLE = "summaryTable.csv"


def load(root: Path | str | None, *, skip_bad: bool = False, votes: bool = False) -> "pandas.DataFrame":
    """Load CREMA-D. Extra columns: level (low, medium, high or unspecified) and intended (the actor's emotion).

    Args:
        root: the corpus's folder, or the folder that holds it.
        skip_bad: leave bad files out.
        votes: take the emotion that most listeners heard. Clips on which two have as many votes are left out.
    """
    heard = _votes(corpus_root(CORPUS, root)) if votes else None

    def parse(path):
        if path.suffix.lower() == ".mp3":
            return LeftOut("the same clip as an MP3")
        parts = match(CORPUS, path)
        if not 1001 <= int(parts["actor"]) <= 1091:
            raise BadFile(f"unknown actor {parts['actor']}; allowed are 1001 to 1091")
        intended = emotion = decode(parts["emotion"], CORPUS.emotions, "emotion")
        if heard is not None:
            # The table writes all levels with two letters.
            vote = heard.get("_".join((*path.stem.split("_")[:3], "XX" if parts["level"] == "X" else parts["level"])))
            if vote is None:
                raise BadFile(f"{TABLE} has no row of it")
            if ":" in vote:
                return LeftOut("two emotions have as many votes")
            emotion = decode(vote, VOTES, "vote")
        return {
            "utterance": f"cremad-{path.stem}",
            "emotion": emotion,
            "speaker": f"cremad-{parts['actor']}",
            "gender": "female" if int(parts["actor"]) in WOMEN else "male",
            "language": "en",
            "sentence": decode(parts["sentence"], SENTENCES, "sentence"),
            "level": decode(parts["level"], LEVELS, "level"),
            "intended": intended,
        }

    if heard is None:
        expected = {(None, CORPUS.emotions[code]): count for code, count in COUNTS.items()}
    else:
        votes_of = collections.Counter(vote for vote in heard.values() if vote in VOTES)
        expected = {(None, VOTES[vote]): count for vote, count in votes_of.items()}
    return read_folder(CORPUS, root, parse, expected=expected, skip_bad=skip_bad)


def _votes(root):
    """Emotions that most listeners heard, by the clip's name; "A:D" where two have as many votes."""
    found = sorted(root.rglob(TABLE))
    if not found:
        raise CorpusError(f"{root}: holds no {TABLE}, which has the listeners' votes; get it from {CORPUS.url}")
    try:
        with found[0].open(encoding="utf-8", newline="") as file:
            return {row["FileName"]: row["VoiceVote"] for row in csv.DictReader(file)}
    except (OSError, KeyError, UnicodeError, csv.Error) as error:
        raise CorpusError(f"{found[0]}: is no table of votes ({error}); get it from {CORPUS.url}") from error


CORPUS = Corpus(
    name="cremad",
    title="Crowd-Sourced Emotional Multimodal Actors Dataset",
    citation=(
        "H. Cao, D. G. Cooper, M. K. Keutmann, R. C. Gur, A. Nenkova and R. Verma, CREMA-D: Crowd-Sourced Emotional "
        "Multimodal Actors Dataset, IEEE Transactions on Affective Computing 5 (4), 2014, doi:10.1109/TAFFC.2014.2336244"
    ),
    licence="ODbL 1.0",
    url="https://github.com/CheyneyComputerScience/CREMA-D",
    languages=("en",),
    utterances=7442,
    speakers=91,
    emotions={
        "ANG": "anger",
        "DIS": "disgust",
        "FEA": "fear",
        "HAP": "happiness",
        "NEU": "neutral",
        "SAD": "sadness",
    },
    pattern=re.compile(r"(?P<actor>1\d{3})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_(?P<level>[A-Z]{1,2})"),
    example="AudioWAV/1001_DFA_ANG_XX.wav",
    load=load,
)
