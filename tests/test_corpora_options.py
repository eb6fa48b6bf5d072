import pandas as pd
import pytest

from sertf import corpora, corpora_options
from sertf.errors import SertfError
from tests.test_protocols import make_table


def test_every_corpus_and_each_of_several_languages_can_be_chosen():
    assert set(corpora.CORPORA) < set(corpora_options.CHOICES)
    assert set(corpora_options.LANGUAGES["esd"]) == {"esd_en", "esd_zh"} and corpora_options.LANGUAGES["emodb"] == ()
    assert {"esd_en", "esd_zh"} < set(corpora_options.CHOICES) and "emodb_de" not in corpora_options.CHOICES


def test_a_language_alone_has_its_share_of_the_speakers():
    assert [corpora_options.speakers_in(name) for name in ("esd", "esd_en", "tess")] == [20, 10, 2]


def test_folders_by_name():
    data = ["emodb=/b=c", "tess=/t"]
    assert corpora_options.folders_of(data) == {"emodb": "/b=c", "tess": "/t"}
    assert corpora_options.others_of("tess", {"emodb": "/b", "tess": "/t"}) == ("emodb",)
    assert corpora_options.others_of("esd_en", {"esd": "/e", "emodb": "/b"}) == ("esd_zh", "emodb")


def test_folders_of_the_corpora_names_in_one_folder(tmp_path):
    for name in ("EmoDB", "ravdess", "notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "tess").write_text("a file")
    found = corpora_options.folders_of([str(tmp_path)])
    assert found == {"emodb": tmp_path / "EmoDB", "ravdess": tmp_path / "ravdess"}
    (tmp_path / "RAVDESS").mkdir()
    with pytest.raises(SertfError, match="several folders of ravdess, RAVDESS and ravdess; give CORPUS=FOLDER for"):
        corpora_options.folders_of([str(tmp_path)])


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
        corpora_options.folders_of(data)


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
        corpora_options.others_of("ravdess", folders)


def test_languages_alone():
    english, mandarin = (make_table(2, per_emotion=1, corpus=name) for name in ("en", "zh"))
    both = pd.concat([english, mandarin.assign(language="zh")], ignore_index=True).assign(corpus="esd")
    assert corpora_options.of_languages(both, ("esd",)) is both
    alone = corpora_options.of_languages(both, ("esd_zh",))
    assert set(alone["corpus"]) == {"esd_zh"} and len(alone) == len(mandarin)
    with pytest.raises(SertfError, match="hold no utterances of esd_zh; they are of esd_en"):
        corpora_options.of_languages(both[both["language"] == "en"], ("esd_en", "esd_zh"))
