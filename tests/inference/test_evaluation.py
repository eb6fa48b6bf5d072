import keras
import numpy as np
import pytest
import soundfile
from sklearn.metrics import f1_score, recall_score

from sertf.audio.conditions import CONDITIONS
from sertf.audio.files import read_audio
from sertf.errors import SertfError
from sertf.evaluation.calibration import calibration_of
from sertf.evaluation.statistics import clustered_bootstrap
from sertf.inference import evaluation
from sertf.inference.evaluation_page import write_evaluation
from sertf.inference.recognizer import load

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


SPEAKER = "embedded-01"


@pytest.fixture
def tested(recognizer, monkeypatch):
    """The model, whose card names one speaker of the corpus as tested."""
    monkeypatch.setitem(recognizer.card["held_out"], "names", [SPEAKER])
    return recognizer


def test_scores_are_those_of_the_answers(recognizer, corpus):
    found = recognizer.evaluate(corpus)
    ours = recognizer.predict(list(corpus["path"]))
    truth, answers = corpus["emotion"], ours["emotion"]
    np.testing.assert_allclose(found.predictions[recognizer.emotions], ours[recognizer.emotions], atol=1e-5)
    assert found.scores["uar"].value == pytest.approx(recall_score(truth, answers, average="macro"))
    assert found.scores["wa"].value == pytest.approx((truth == answers).mean())
    assert found.scores["macro_f1"].value == pytest.approx(f1_score(truth, answers, average="macro"))
    assert (found.scores["uar"].low, found.scores["uar"].high) == clustered_bootstrap(found.predictions)
    assert {key: value for key, (value,) in found.calibration["values"].items()} == calibration_of(found.predictions)
    assert np.trace(found.confusion) == (truth == answers).sum() and np.sum(found.confusion) == len(corpus)
    assert found.drawn == "speakers" and found.speakers == 4 and found.chance == 1 / corpus["emotion"].nunique()


def test_clips_of_other_emotions_are_left_out_and_counted(recognizer, corpus):
    absent = next(e for e in ("boredom", "surprise", "calm") if e not in recognizer.emotions)
    one = recognizer.emotions[0]
    table = corpus.assign(emotion=corpus["emotion"].replace(one, absent))
    found = recognizer.evaluate(table)
    assert found.left_out == {absent: 8} and found.utterances == 24 and one not in found.present
    assert found.chance == pytest.approx(1 / 3)
    assert found.among_present["uar"].value >= found.scores["uar"].value
    with pytest.raises(SertfError, match="must have 2 or more of the model's emotions"):
        recognizer.evaluate(corpus[corpus["emotion"] == one])


def test_emotions_that_training_merged_are_merged(recognizer, corpus, monkeypatch):
    known = recognizer.emotions[0]
    monkeypatch.setitem(recognizer.card["corpus"], "merged", {"boredom": known})
    found = recognizer.evaluate(corpus.assign(emotion=corpus["emotion"].replace(known, "boredom")))
    assert found.left_out == {} and found.utterances == 32


def test_conditions_alter_the_clips_before_the_model_hears_them(recognizer, corpus):
    found = recognizer.evaluate(corpus, conditions=True)
    rows = {row.condition: row for row in found.conditions}
    assert list(rows) == ["as recorded", *CONDITIONS] and rows["as recorded"].same == 1
    assert rows["as recorded"].uar == found.scores["uar"].value
    clips = [read_audio(path) for path in corpus["path"]]
    louder = [(CONDITIONS["gain +20 dB"](*clip, np.random.default_rng(0)), clip[1]) for clip in clips]
    scores = recognizer.score(louder)
    answers = np.array(recognizer.emotions)[scores.argmax(axis=1)]
    row = rows["gain +20 dB"]
    assert row.uar == pytest.approx(recall_score(corpus["emotion"], answers, average="macro"))
    as_recorded = np.array(recognizer.emotions)[found.predictions[recognizer.emotions].to_numpy().argmax(axis=1)]
    assert row.same == pytest.approx((answers == as_recorded).mean())
    assert row.confidence == pytest.approx(scores.max(axis=1).mean())


def test_conditions_of_a_clip_do_not_depend_on_the_clips_before_it(recognizer, corpus):
    forwards = recognizer.evaluate(corpus, conditions=True).conditions
    backwards = recognizer.evaluate(corpus.iloc[::-1], conditions=True).conditions
    assert [row.confidence for row in forwards] == pytest.approx([row.confidence for row in backwards], abs=1e-6)


def test_each_clip_is_read_once_and_progress_counts_all(recognizer, corpus, monkeypatch):
    read, told = [], []
    monkeypatch.setattr(evaluation, "read_audio", lambda path: read.append(path) or read_audio(path))
    monkeypatch.setattr(evaluation, "_CLIPS", 10)
    recognizer.evaluate(corpus, conditions=True, progress=lambda done, total: told.append((done, total)))
    assert read == list(corpus["path"]) and told[-1] == (13 * 32, 13 * 32)


def test_clips_of_training_corpora_are_counted(tested, corpus):
    found = tested.evaluate(corpus)
    assert (found.seen, found.held_out) == (24, 8)
    elsewhere = tested.evaluate(corpus.assign(corpus="mine", speaker=corpus["speaker"].str.replace("embedded", "mine")))
    assert (elsewhere.seen, elsewhere.held_out) == (0, 0)


def test_the_split_keeps_the_tested_speakers(tested, corpus):
    found = tested.evaluate(corpus, split="test")
    assert set(found.predictions["speaker"]) == {SPEAKER} and found.seen == 0
    assert found.drawn == "clips"  # one speaker has no interval
    with pytest.raises(SertfError, match="None of the clips is of a speaker that toy was tested on"):
        tested.evaluate(corpus[corpus["speaker"] != SPEAKER], split="test")
    with pytest.raises(SertfError, match="Unknown split 'train'"):
        tested.evaluate(corpus, split="train")


def test_a_split_that_the_card_does_not_tell(recognizer, corpus, monkeypatch):
    monkeypatch.delitem(recognizer.card["held_out"], "names", raising=False)
    with pytest.raises(SertfError, match="names no speakers that were tested"):
        recognizer.evaluate(corpus, split="test")


def test_groups_and_columns_of_ones_own(recognizer, corpus):
    found = recognizer.evaluate(corpus.assign(room=["small", "large"] * 16), by=["room"])
    assert set(found.groups) >= {"gender", "room"}
    assert found.groups["room"]["groups"]["small"]["utterances"] == 16
    with pytest.raises(SertfError, match="Unknown column of the table 'rom'"):
        recognizer.evaluate(corpus, by=["rom"])


def test_clips_that_cannot_be_used(recognizer, corpus, tmp_path):
    soundfile.write(tmp_path / "silent.wav", np.zeros(8000), 8000)
    paths = corpus["path"].astype(str).tolist()
    table = corpus.assign(path=[str(tmp_path / "silent.wav"), str(tmp_path / "none.wav"), *paths[2:]])
    with pytest.raises(SertfError, match="2 clips cannot be used") as raised:
        recognizer.evaluate(table)
    assert "silent.wav: silent" in str(raised.value) and "none.wav: no such file" in str(raised.value)
    found = recognizer.evaluate(table, skip_bad=True, conditions=True)
    assert found.skipped == 2 and found.utterances == 30 and len(found.conditions) == 13
    assert [path for path, _ in found.bad] == list(table["path"][:2])
    with pytest.raises(SertfError, match="32 clips cannot be used"):
        recognizer.evaluate(corpus.assign(path=str(tmp_path / "none.wav")), skip_bad=True)


@pytest.fixture(scope="module")
def enrolling(of_known_speakers):
    return load(of_known_speakers)


def test_speakers_are_enrolled_by_all_their_clips(enrolling, corpus):
    found = enrolling.evaluate(corpus, known_speakers="each")
    scores = found.predictions.set_index("utterance")[enrolling.emotions]
    for _, clips in corpus.groupby("speaker"):
        speaker = enrolling.enroll(list(clips["path"]))
        expected = enrolling.predict(list(clips["path"]), speaker=speaker)[enrolling.emotions]
        np.testing.assert_allclose(scores.loc[clips["utterance"]], expected, atol=1e-5)
    unknown = enrolling.evaluate(corpus)
    assert (found.enrolled, unknown.enrolled) == ("each", "")
    assert (
        np.abs(unknown.predictions[enrolling.emotions] - found.predictions[enrolling.emotions]).to_numpy().max() > 1e-3
    )


def test_all_speakers_of_a_corpus_are_enrolled_as_one(enrolling, corpus, tmp_path):
    nobody = corpus.assign(speaker=corpus["corpus"] + "-unknown")
    found = enrolling.evaluate(nobody, known_speakers="one")
    everybody = enrolling.enroll(list(corpus["path"]))
    expected = enrolling.predict(list(corpus["path"]), speaker=everybody)[enrolling.emotions]
    scores = found.predictions.set_index("utterance").loc[corpus["utterance"], enrolling.emotions]
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    assert found.enrolled == "one" and found.drawn == "clips"
    page = write_evaluation(found, tmp_path / "page").read_text(encoding="utf-8")
    assert "All speakers of a corpus were enrolled as one, by all clips here, without labels." in page
    with pytest.raises(SertfError, match="Unknown way to enrol known_speakers 'on'"):
        enrolling.evaluate(corpus, known_speakers="on")


def test_under_a_condition_speakers_are_enrolled_by_clips_under_it(enrolling, corpus):
    found = enrolling.evaluate(corpus, known_speakers="each", conditions=True)
    rows = {row.condition: row for row in found.conditions}
    largest = []
    for _, clips in corpus.groupby("speaker"):
        read = [read_audio(path) for path in clips["path"]]
        louder = [
            (CONDITIONS["gain +20 dB"](*clip, np.random.default_rng(0)).astype("float32"), clip[1]) for clip in read
        ]
        largest += enrolling.score(louder, speaker=enrolling.enroll(louder)).max(axis=1).tolist()
    assert rows["gain +20 dB"].confidence == pytest.approx(np.mean(largest), abs=1e-5)


def test_speakers_that_cannot_be_enrolled(enrolling, recognizer, corpus, monkeypatch):
    with pytest.raises(SertfError, match="toy knows no speakers"):
        recognizer.evaluate(corpus, known_speakers="each")
    with pytest.raises(SertfError, match="The speakers of the clips are unknown; name them with --speakers"):
        enrolling.evaluate(corpus.assign(speaker=corpus["corpus"] + "-unknown"), known_speakers="each")
    monkeypatch.setattr("sertf.inference.speakers._FEWEST", 10**6)
    with pytest.raises(SertfError, match="The speaker embedded-01 cannot be enrolled. The speaker's clips give one"):
        enrolling.evaluate(corpus, known_speakers="each")


def test_clips_that_cannot_be_used_enroll_nobody(enrolling, corpus, tmp_path):
    paths = corpus["path"].where(corpus["speaker"] != "embedded-01", str(tmp_path / "none.wav"))
    found = enrolling.evaluate(corpus.assign(path=paths), known_speakers="each", skip_bad=True)
    assert found.skipped == 8 and found.speakers == 3


def test_plain_values_name_no_path(recognizer, corpus):
    text = str(recognizer.evaluate(corpus).to_dict())
    assert str(corpus["path"].iloc[0]) not in text and "predictions" not in text
