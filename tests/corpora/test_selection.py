import pandas as pd
import pytest

from sertf import corpora
from sertf.corpora import CorpusWarning, selection
from sertf.errors import SertfError
from tests.corpora import trees
from tests.protocols.test_splits import make_table


def test_every_corpus_and_each_of_several_languages_can_be_chosen():
    assert set(corpora.CORPORA) < set(selection.CHOICES)
    assert set(selection.LANGUAGES["esd"]) == {"esd_en", "esd_zh"} and selection.LANGUAGES["emodb"] == ()
    assert {"esd_en", "esd_zh"} < set(selection.CHOICES) and "emodb_de" not in selection.CHOICES


def test_a_language_alone_has_its_share_of_the_speakers():
    assert [selection.speakers_in(name) for name in ("esd", "esd_en", "tess")] == [20, 10, 2]


def test_folders_by_name():
    data = ["emodb=/b=c", "tess=/t"]
    assert selection.folders_of(data) == {"emodb": "/b=c", "tess": "/t"}
    assert selection.others_of("tess", {"emodb": "/b", "tess": "/t"}) == ("emodb",)
    assert selection.others_of("esd_en", {"esd": "/e", "emodb": "/b"}) == ("esd_zh", "emodb")


def test_folders_of_the_corpora_names_in_one_folder(tmp_path):
    for name in ("EmoDB", "ravdess", "notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "tess").write_text("a file")
    found = selection.folders_of([str(tmp_path)])
    assert found == {"emodb": tmp_path / "EmoDB", "ravdess": tmp_path / "ravdess"}
    (tmp_path / "RAVDESS").mkdir()
    with pytest.raises(SertfError, match="several folders of ravdess, RAVDESS and ravdess; give CORPUS=FOLDER for"):
        selection.folders_of([str(tmp_path)])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (["/nowhere"], "--data /nowhere holds no folder named as a corpus .ravdess, emodb, tess,"),
        (["ravdess=/a", "/b"], "--data /b must be CORPUS=FOLDER with a corpus of ravdess, emodb,"),
        (["ravdess=/a", "emo=/b"], "--data emo=/b must be CORPUS=FOLDER with a corpus of ravdess,"),
        (["ravdess=/a", "emodb="], "--data emodb= must be CORPUS=FOLDER with a corpus of ravdess,"),
        (["ravdess=/a", "ravdess=/b"], "--data gives ravdess twice, /a and /b"),
    ],
)
def test_folders_that_cannot_be_told(data, message):
    with pytest.raises(SertfError, match=message):
        selection.folders_of(data)


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ({}, "To train on ravdess its recordings are needed, but there is no --data; add --data ravdess=FOLDER."),
        ({"emodb": "/a", "tess": "/b"}, "To train on ravdess its recordings are needed, but --data gives emodb, tess"),
        ({"ravdess": "/a"}, "To test on another corpus than ravdess its recordings are needed, but --data gives rav"),
    ],
)
def test_corpora_that_are_needed(folders, message):
    with pytest.raises(SertfError, match=message):
        selection.others_of("ravdess", folders)


def test_languages_alone():
    english, mandarin = (make_table(2, per_emotion=1, corpus=name) for name in ("en", "zh"))
    both = pd.concat([english, mandarin.assign(language="zh")], ignore_index=True).assign(corpus="esd")
    assert selection.of_languages(both, ("esd",)) is both
    alone = selection.of_languages(both, ("esd_zh",))
    assert set(alone["corpus"]) == {"esd_zh"} and len(alone) == len(mandarin)
    with pytest.raises(SertfError, match="hold no utterances of esd_zh; they are of esd_en"):
        selection.of_languages(both[both["language"] == "en"], ("esd_en", "esd_zh"))


def test_a_corpus_of_two_languages_and_either_alone(tmp_path):
    trees.touch(tmp_path, trees.esd(speakers=(1, 11))[::50])
    with pytest.warns(CorpusWarning):
        both, english, mandarin = (selection.load(name, tmp_path) for name in ("esd", "esd_en", "esd_zh"))
    assert set(both["language"]) == {"en", "zh"} and set(both["corpus"]) == {"esd"}
    assert set(english["language"]) == {"en"} and set(english["corpus"]) == {"esd_en"}
    assert len(english) + len(mandarin) == len(both) and len(english) == len(mandarin)


def test_unknown_corpora_and_languages(tmp_path, monkeypatch):
    monkeypatch.delenv("SERTF_DATA", raising=False)
    with pytest.raises(SertfError, match="Unknown corpus 'esd_fr'; did you mean .*esd_en"):
        selection.load("esd_fr", tmp_path)
    with pytest.raises(SertfError, match="ravdess needs --data, the folder that holds it, or SERTF_DATA"):
        selection.load("ravdess")
