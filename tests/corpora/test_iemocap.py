import pytest

from sertf import corpora
from sertf.corpora import CorpusError, CorpusWarning
from tests.corpora import trees

TURNS = {
    "Ses01F_impro01_F000": "neu",
    "Ses01F_impro01_M003": "ang",
    "Ses01F_impro01_M004": "xxx",
    "Ses02M_script01_1_F001": "exc",
    "Ses02M_script01_1b_M000": "fru",
    "Ses03F_impro05a_F002": "hap",
    "Ses05M_script03_2_MXX1": "sad",
    "Ses05M_script03_2_F010": "oth",
    "Ses05M_script03_2_F011": "sur",
}


@pytest.fixture
def root(tmp_path):
    return make(tmp_path, TURNS)


def make(root, turns):
    texts, audio = trees.iemocap(turns)
    trees.touch(root, [*texts, *audio])
    for path, text in texts.items():
        (root / path).write_text(text)
    return root


@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
@pytest.mark.parametrize(
    ("classes", "emotions"),
    [
        ("4", ["neutral", "anger", "happiness", "sadness"]),
        ("4+exc", ["neutral", "anger", "happiness", "happiness", "sadness"]),
        ("6", ["neutral", "anger", "excitement", "frustration", "happiness", "sadness"]),
        ("all", ["neutral", "anger", "excitement", "frustration", "happiness", "surprise", "sadness"]),
    ],
)
def test_classes(root, classes, emotions):
    table = corpora.load("iemocap", root, classes=classes)
    assert table["emotion"].tolist() == emotions
    left_out = table.attrs["left_out"]
    assert len(TURNS) == len(table) + sum(left_out.values())
    assert left_out["xxx: the listeners did not agree"] == left_out["oth: an emotion outside the list"] == 1


@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
def test_fields(root):
    table = corpora.load("iemocap", root).set_index("utterance")
    assert table.loc["iemocap-Ses01F_impro01_M003"].to_dict() == {
        "path": str(root / "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M003.wav"),
        "corpus": "iemocap",
        "emotion": "anger",
        "speaker": "iemocap-01M",
        "gender": "male",
        "language": "en",
        "sentence": "",
        "dialogue": "Ses01F_impro01",
        "style": "improvised",
        "valence": 2.5,
        "activation": 3.0,
        "dominance": 1.5,
    }
    assert table.loc["iemocap-Ses01F_impro01_F000", "speaker"] == "iemocap-01F"
    assert table.loc["iemocap-Ses05M_script03_2_MXX1", ["speaker", "style"]].tolist() == ["iemocap-05M", "scripted"]


def test_missing_is_counted_by_class(root):
    with pytest.warns(CorpusWarning, match="5 of 5531 utterances"):
        table = corpora.load("iemocap", root, classes="4+exc")
    assert table.attrs["missing"] == [
        "neutral 1 of 1708",
        "happiness 2 of 1636",
        "sadness 1 of 1084",
        "anger 1 of 1103",
    ]
    with pytest.warns(CorpusWarning, match="4 of 4490 utterances"):
        corpora.load("iemocap", root)


@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
def test_release_has_other_texts_and_recordings(root):
    dialog = root / "Session1/dialog"
    trees.touch(dialog, ["wav/Ses01F_impro01.wav", "EmoEvaluation/Categorical/Ses01F_impro01_e2_cat.txt"])
    (dialog / "transcriptions").mkdir()
    (dialog / "transcriptions/Ses01F_impro01.txt").write_text("Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.\n")
    (dialog / "EmoEvaluation/._Ses01F_impro01.txt").write_bytes(b"\x00\xff")
    table = corpora.load("iemocap", root)
    assert len(table) == 4
    assert table.attrs["left_out"]["recording of a whole dialogue"] == 1


@pytest.mark.filterwarnings("ignore::sertf.corpora.CorpusWarning")
def test_flattened(tmp_path, root):
    flat = tmp_path / "flat"
    flat.mkdir()
    for path in root.rglob("Session*/**/*.*"):
        path.rename(flat / path.name)
    assert len(corpora.load("iemocap", flat)) == 4


def test_bad_turns(root):
    texts = root / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    texts.write_text(texts.read_text().replace("\tang\t", "\tgla\t"))
    trees.touch(root, ["Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F099.wav", "noise.wav"])
    with pytest.raises(CorpusError) as caught:
        corpora.load("iemocap", root)
    message = str(caught.value)
    assert "3 files of iemocap are bad" in message
    assert "unknown emotion 'gla'; allowed are neu, hap, exc, sad, ang, fru, fea, sur, dis, xxx, oth" in message
    assert "no label: no line of an EmoEvaluation file names the turn Ses01F_impro01_F099" in message
    assert "noise.wav: the name fits no iemocap utterance" in message


def test_two_labels_of_one_turn(root):
    texts = root / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt"
    texts.write_text(texts.read_text() + texts.read_text().replace("\tang\t", "\tsad\t"))
    with pytest.raises(CorpusError, match="1 turns of iemocap have two different labels(?s:.*)M003 is sad here, ang"):
        corpora.load("iemocap", root)


def test_no_labels_and_unknown_classes(tmp_path):
    trees.touch(tmp_path, ["Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"])
    with pytest.raises(CorpusError, match="no label line found; iemocap's labels lie in"):
        corpora.load("iemocap", tmp_path)
    with pytest.raises(CorpusError, match="classes must be one of '4', '4\\+exc', '6', 'all'; got '5'"):
        corpora.load("iemocap", tmp_path, classes="5")
