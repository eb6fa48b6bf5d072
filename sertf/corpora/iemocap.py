"""IEMOCAP: five sessions of a woman and a man in dialogue, improvised and scripted, labelled by several listeners.

Labels come from lines of `Session*/dialog/EmoEvaluation/*.txt` such as
`[6.2901 - 8.2357]<tab>Ses01F_impro01_F000<tab>neu<tab>[2.5000, 2.5000, 2.5000]`, audio from
`Session*/sentences/wav/<dialog>/<turn>.wav`. The letter before the turn's number tells the speaker.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sertf.corpora.card import Corpus, CorpusError
from sertf.corpora.folder import BadFile, LeftOut, corpus_root, find_files, match, read_folder
from sertf.errors import listing

if TYPE_CHECKING:
    import pandas

# Class sets and their codes: "4+exc" counts excitement as happiness, as most of the literature does.
CLASSES = {
    "4": ("ang", "hap", "sad", "neu"),
    "4+exc": ("ang", "hap", "exc", "sad", "neu"),
    "6": ("ang", "hap", "exc", "sad", "neu", "fru"),
    "all": ("ang", "hap", "exc", "sad", "neu", "fru", "fea", "sur", "dis"),
}
NEVER = {"xxx": "xxx: the listeners did not agree", "oth": "oth: an emotion outside the list"}
COUNTS = {
    "ang": 1103,
    "hap": 595,
    "sad": 1084,
    "neu": 1708,
    "exc": 1041,
    "fru": 1849,
    "fea": 40,
    "sur": 107,
    "dis": 2,
}
LABEL_LINE = re.compile(
    r"\[(?P<start>[\d.]+) - (?P<end>[\d.]+)\]\t(?P<turn>Ses\w+)\t(?P<code>\w+)"
    r"\t\[(?P<valence>[\d.]+), (?P<activation>[\d.]+), (?P<dominance>[\d.]+)\]"
)
DIALOGUE = re.compile(r"Ses0[1-5][FM]_(?:impro|script)\d\d\w?(?:_\d\w?)?")


def load(root: Path | str | None, *, skip_bad: bool = False, classes: str = "4") -> "pandas.DataFrame":
    """Load IEMOCAP.

    Args:
        root: The release's folder, or one with all audio and evaluation files flattened into it.
        skip_bad: Leave bad files out.
        classes: Class set, a key of `CLASSES`: `"4"` (anger, happiness, sadness, neutral), `"4+exc"` (excitement counts
            as happiness), `"6"` (with excitement and frustration), `"all"`.

    Extra columns: dialogue, style (`improvised`, `scripted`), valence, activation, dominance (1 to 5).
    """
    if classes not in CLASSES:
        raise CorpusError(f"classes must be one of {', '.join(map(repr, CLASSES))}; got {classes!r}")
    codes = {code: CORPUS.emotions[code] for code in CLASSES[classes]}
    if classes == "4+exc":
        codes["exc"] = "happiness"
    labels = _labels(corpus_root(CORPUS, root))

    def parse(path):
        if DIALOGUE.fullmatch(path.stem):
            return LeftOut("recording of a whole dialogue")
        parts = match(CORPUS, path)
        label = labels.get(path.stem)
        if label is None:
            raise BadFile(f"no label: no line of an EmoEvaluation file names the turn {path.stem}")
        code = label["code"]
        if code in NEVER:
            return LeftOut(NEVER[code])
        if code not in CORPUS.emotions:
            raise BadFile(f"unknown emotion {code!r}; allowed are {', '.join([*CORPUS.emotions, *NEVER])}")
        if code not in codes:
            return LeftOut(f"{code}: not in the class set {classes!r}")
        return {
            "utterance": f"iemocap-{path.stem}",
            "emotion": codes[code],
            "speaker": f"iemocap-{parts['session']}{parts['who']}",
            "gender": {"F": "female", "M": "male"}[parts["who"]],
            "language": "en",
            "sentence": "",
            "dialogue": parts["dialogue"],
            "style": {"impro": "improvised", "script": "scripted"}[parts["style"]],
            **{name: float(label[name]) for name in ("valence", "activation", "dominance")},
        }

    expected: dict[tuple[None, str], int] = {}
    for code, emotion in codes.items():
        expected[None, emotion] = expected.get((None, emotion), 0) + COUNTS[code]
    return read_folder(CORPUS, root, parse, expected=expected, skip_bad=skip_bad)


def _labels(root):
    """{turn: groups of its label line} from all evaluation files below a folder."""
    texts = find_files(root, {".txt"})
    # The release's other folders hold texts of the same names: transcripts, and gigabytes of motion capture.
    official = [path for path in texts if path.parent.name == "EmoEvaluation"]
    labels, clashes = {}, []
    for path in official or texts:
        if not DIALOGUE.fullmatch(path.stem):
            continue
        for line in path.read_text(encoding="latin-1").splitlines():
            found = LABEL_LINE.match(line)
            if found is None:
                continue
            label = found.groupdict()
            if labels.setdefault(label["turn"], label) != label:
                clashes.append(
                    f"{path}: {label['turn']} is {label['code']} here, {labels[label['turn']]['code']} before"
                )
    if clashes:
        raise CorpusError(
            f"{root}: {len(clashes)} turns of iemocap have two different labels; keep one:\n{listing(clashes)}"
        )
    if not labels:
        raise CorpusError(
            f"{root}: no label line found; iemocap's labels lie in files like "
            f"Session1/dialog/EmoEvaluation/Ses01F_impro01.txt, copy these too"
        )
    return labels


CORPUS = Corpus(
    name="iemocap",
    title="Interactive Emotional Dyadic Motion Capture Database",
    citation=(
        "C. Busso, M. Bulut, C.-C. Lee, A. Kazemzadeh, E. Mower, S. Kim, J. N. Chang, S. Lee and S. S. Narayanan, "
        "IEMOCAP: Interactive emotional dyadic motion capture database, Language Resources and Evaluation 42(4), 2008, "
        "doi:10.1007/s10579-008-9076-6"
    ),
    licence="research only, on request from the University of Southern California",
    url="https://sail.usc.edu/iemocap",
    languages=("en",),
    utterances=4490,
    speakers=10,
    emotions={
        "neu": "neutral",
        "hap": "happiness",
        "exc": "excitement",
        "sad": "sadness",
        "ang": "anger",
        "fru": "frustration",
        "fea": "fear",
        "sur": "surprise",
        "dis": "disgust",
    },
    pattern=re.compile(
        r"(?P<dialogue>Ses(?P<session>0[1-5])[FM]_(?P<style>impro|script)\d\d\w?(?:_\d\w?)?)_(?P<who>[FM])\w{3,4}"
    ),
    example="Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav",
    load=load,
)
