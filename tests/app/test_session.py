"""What the page shows of a clip, without the page."""

import shutil
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import soundfile

from sertf.app import session
from sertf.audio.files import read_audio
from sertf.errors import SertfError
from sertf.inference.bundled import DEFAULT, folder_of, names
from sertf.inference.recognizer import load

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


@pytest.fixture(scope="module")
def listener():
    return session.Listener({"ours": folder_of("reslstm_sa_h64_ravdess")})


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder of recordings."""
    monkeypatch.chdir(tmp_path)
    # Rising noise: the model itself does not score steady noise.
    noise = (np.random.default_rng(0).normal(scale=0.1, size=16_000) * np.linspace(0.01, 1, 16_000)).astype("float32")
    soundfile.write("one.wav", noise, 16_000)
    long = np.tile(noise, 32)
    long[: 11 * 16_000] = 0
    soundfile.write("long.flac", np.stack([long, long], axis=1), 16_000)
    soundfile.write("silent.wav", np.zeros(16_000), 16_000)
    soundfile.write("no_samples.wav", np.zeros(0), 16_000)
    (tmp_path / "text.wav").write_text("no audio")
    (tmp_path / "nothing.wav").touch()
    (tmp_path / "folder.wav").mkdir()
    return tmp_path


def model_in(folder):
    """A copy of the bundled model's card and checksums, and a SavedModel that cannot be loaded."""
    folder.mkdir(parents=True)
    for name in ("model_card.json", "SHA256SUMS"):
        shutil.copy(folder_of() / name, folder)
    (folder / "saved_model.pb").write_bytes(b"damaged")
    return folder


def test_models_are_the_bundled_ones_and_those_exported_here(folder):
    assert list(session.models()) == names() and names()[0] == DEFAULT  # the page opens with the first
    mine = model_in(folder / "models" / "mine")
    (folder / "models" / "foreign").mkdir()
    (folder / "models" / "foreign" / "saved_model.pb").write_bytes(b"of somebody else")
    assert list(session.models()) == [*names(), "mine"]
    assert session.models([mine]) == session.models([folder / "models"]) == {"mine": mine}
    other = model_in(folder / "others" / "mine")
    assert session.models([mine, mine, other, DEFAULT]) == {
        "mine": mine,
        str(other): other,
        DEFAULT: folder_of(),
    }


def test_mistakes_in_models(folder):
    with pytest.raises(SertfError, match="Unknown model 'reslstm'"):
        session.models(["reslstm"])
    with pytest.raises(SertfError, match="is not a SavedModel"):
        session.models([folder])


def test_a_clip_is_answered_first_and_explained_then(listener):
    first, second = listener.hear("one.wav", "ours")
    (row,) = load(folder_of("reslstm_sa_h64_ravdess")).windows("one.wav")
    assert (first.verdict, first.emotion, first.windows) == (row.emotion, row.emotion, [row])
    assert first.confidence == pytest.approx(row.confidence) and first.scores == pytest.approx(row.scores)
    assert first.name == "one.wav" and first.model.startswith("ResLSTM-SA, 64 units") and first.seconds == 1
    assert first.curve is None and second.curve.label.startswith("Attention over time") and second.curve.end == 1
    assert second.windows == first.windows and len(first.extremes) == 593


def test_a_recording_unlike_the_training_clips_is_said(listener, monkeypatch):
    listener.warm_up("ours").join(60)
    facts = {"clips": 9, "band_hz": 7900, "levels_db": [-60.0, -50.0]}
    monkeypatch.setitem(listener._model.card, "recordings", facts)
    (said,) = next(listener.hear("one.wav", "ours")).warnings
    assert said.startswith(
        "Unlike the training clips: its speech has -24 dBFS, but the model was trained on -60 to -50 dBFS"
    )
    monkeypatch.setitem(listener._model.card, "recordings", facts | {"levels_db": [-30.0, -10.0]})
    assert next(listener.hear("one.wav", "ours")).warnings == []


def test_under_the_threshold_it_is_uncertain(listener):
    assert next(listener.hear("one.wav", "ours", 1.0)).verdict == "uncertain"
    assert next(listener.hear("one.wav", "ours", 0.05)).verdict != "uncertain"


def test_a_long_clip_is_heard_in_windows(listener):
    _, heard = listener.hear("long.flac", "ours")
    # Every 5 s, the last moved back to end at 32 s; the first hears digital silence.
    assert [window.start for window in heard.windows] == [0, 5, 10, 15, 20, 22]
    spoken = heard.windows[1:]
    assert heard.windows[0].emotion is None and all(window.emotion for window in spoken)
    assert heard.scores["fear"] == pytest.approx(np.mean([window.scores["fear"] for window in spoken]))
    surest = max(spoken, key=lambda window: window.confidence)
    assert (heard.curve.start, heard.curve.end) == (surest.start, surest.end) and heard.seconds == 32


def test_titles_are_words(listener):
    titles = session.Listener({name: folder_of(name) for name in names()}).titles()
    assert titles["ResLSTM-SA, 64 units, the notebook's range (English, 8 emotions)"] == "reslstm_sa_h64_ravdess"
    assert [title for title, name in titles.items() if name == DEFAULT][0].startswith("Default recognizer (")
    assert not [title for title in titles if "_" in title]
    both = session.Listener({"mine": folder_of(DEFAULT), "other": folder_of(DEFAULT)}).titles()
    assert list(both.values()) == ["mine", "other"]


def test_the_threshold_is_the_cards(monkeypatch, listener):
    card = session.read_card(folder_of("reslstm_sa_h64_ravdess"))
    assert listener.threshold("ours") == round(card["certainty"]["threshold"], 2)
    monkeypatch.setattr(session, "read_card", lambda _: {key: card[key] for key in card if key != "certainty"})
    assert listener.threshold("ours") == 0
    monkeypatch.setattr(session, "read_card", lambda _: card | {"certainty": {"threshold": 0.4321}})
    assert listener.threshold("ours") == 0.43


def test_other_recordings_of_the_speaker_are_enrolled(of_known_speakers, corpus, listener):
    page, model = session.Listener({"mine": of_known_speakers}), load(of_known_speakers)
    assert page.knows_speakers("mine") and not listener.knows_speakers("ours")
    clip, *others = map(str, corpus[corpus["speaker"] == "embedded-01"]["path"])
    heard, explained = page.hear(clip, "mine", 0.0, others)
    speaker = model.enroll(others)
    (row,) = model.windows(clip, speaker=speaker)
    assert heard.scores == pytest.approx(row.scores, abs=1e-5) and heard.speaker_clips == len(others)
    samples, rate = read_audio(clip)
    curves = [session.inside(model, samples, rate, heard.emotion, known).values for known in (speaker, None)]
    np.testing.assert_allclose(explained.curve.values, curves[0], atol=1e-4)
    assert np.abs(curves[0] - curves[1]).max() > 1e-3
    unknown = next(page.hear(clip, "mine"))
    assert unknown.speaker_clips == 0 and unknown.scores != heard.scores
    (fault,) = page.hear(clip, "mine", 0.0, [*others, "text.wav"])
    assert fault.sentence.startswith("This recording cannot be used. text.wav: not readable")


def test_an_enrolled_speaker_has_a_threshold_of_its_own(monkeypatch, listener):
    card = session.read_card(folder_of("reslstm_sa_h64_ravdess"))
    both = {"certainty": {"threshold": 0.4321}, "known_speakers": {"threshold": 0.6789}}
    monkeypatch.setattr(session, "read_card", lambda _: card | both)
    assert (listener.threshold("ours"), listener.threshold("ours", enrolled=True)) == (0.43, 0.68)
    monkeypatch.setattr(session, "read_card", lambda _: card | both | {"known_speakers": {}})
    assert listener.threshold("ours", enrolled=True) == 0.43


def test_a_model_is_loaded_in_the_background():
    waiting = session.Listener({"ours": folder_of("reslstm_sa_h64_ravdess")})
    waiting.warm_up("ours").join(60)
    assert waiting._model is not None and waiting._name == "ours"


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (None, "No recording yet. Record a sentence"),
        ("text.wav", "This recording cannot be used. text.wav: not readable as audio"),
        ("nothing.wav", "This recording cannot be used. nothing.wav: the file is empty (0 bytes)"),
        ("no_samples.wav", "This recording cannot be used. no_samples.wav: the clip is empty (no samples)"),
        ("silent.wav", "This recording cannot be used. silent.wav: silent"),
        ("folder.wav", "This recording cannot be used. folder.wav: a folder"),
        ("gone.wav", "This recording cannot be used. gone.wav: no such file"),
    ],
)
def test_a_mistake_is_a_sentence(listener, folder, file, sentence):
    (heard,) = listener.hear(file and folder / file, "ours")
    assert heard.sentence.startswith(sentence) and heard.sentence.endswith(".")
    assert str(folder) not in heard.sentence and "\n" not in heard.sentence


@pytest.mark.noise_is_no_speech
def test_noise_has_no_emotion(listener):
    soundfile.write("steady.wav", np.random.default_rng(0).normal(scale=0.1, size=16_000), 16_000)
    (heard,) = listener.hear("steady.wav", "ours")
    assert (
        heard.sentence == "There is no speech in this recording. steady.wav holds steady sound, such as noise or hum."
    )


def test_the_last_model_is_kept(monkeypatch, folder):
    loaded = []
    monkeypatch.setattr("sertf.app.session.load", lambda path: loaded.append(path) or object())
    monkeypatch.setattr("sertf.app.session.read_card", lambda path: {})
    both = session.Listener({"a": "folder a", "b": "folder b"})
    for name in ("a", "a", "b", "b", "a"):
        both._loaded(name)
    assert loaded == ["folder a", "folder b", "folder a"]


def test_a_damaged_model_is_a_sentence(folder):
    damaged = session.Listener({"damaged": model_in(folder / "damaged")})
    (heard,) = damaged.hear("one.wav", "damaged")
    assert heard.sentence.count("export the model again") == 1 and "litert.npz" in heard.sentence
    damaged.warm_up("damaged").join(60)  # says nothing yet


def test_a_card_stands_a_level_lower(listener):
    lines = listener.card("ours").splitlines()
    assert lines[0] == "## reslstm_sa_h64_ravdess" and "### Intended use and limits" in lines
    assert not [line for line in lines if line.startswith("# ")]


def toy(shape):
    """A model whose score of "loud" is the mean size of the third quarter's samples."""

    def outputs(waveform, sample_rate, *, speaker):
        quarter = np.abs(np.array_split(waveform, 4, axis=1)[2]).mean(axis=1)  # (batch,)
        return {"scores": np.stack([quarter, 1 - quarter], axis=1), "attention": np.array([[0.1, 0.2, 0.7]])}

    return SimpleNamespace(outputs=outputs, card={"front_end": {"shape": shape}}, emotions=["loud", "still"])


def test_inside_is_the_attention():
    curve = session.inside(toy([None, 46]), np.ones(800, "float32"), 100, "loud")
    assert curve.values.tolist() == pytest.approx([10, 20, 70]) and curve.reference == pytest.approx(100 / 3)
    assert (curve.start, curve.end) == (0, 8) and curve.label.startswith("Attention over time")


def test_inside_is_occlusion_where_steps_do_not_follow_the_clip():
    curve = session.inside(toy([64, 107]), np.ones(800, "float32"), 100, "loud")
    assert curve.values.tolist() == pytest.approx([0] * 10 + [0.2] * 5 + [0] * 5)
    assert curve.end == 8 and curve.reference == 0
