"""What the page shows of a clip, without the page."""

import shutil
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import soundfile

from sertf.app import session
from sertf.errors import SertfError
from sertf.inference.bundled import DEFAULT, folder_of, names

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


@pytest.fixture(scope="module")
def listener():
    return session.Listener({"ours": folder_of("reslstm_sa_h64_ravdess")})


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder of recordings."""
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).normal(scale=0.1, size=16_000).astype("float32")
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
    """A copy of the bundled model's card and a SavedModel that cannot be loaded."""
    folder.mkdir(parents=True)
    shutil.copy(folder_of() / "model_card.json", folder)
    (folder / "saved_model.pb").write_bytes(b"damaged")
    return folder


def test_models_are_the_bundled_ones_and_those_exported_here(folder):
    assert list(session.models()) == names()
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


def test_a_clip(listener):
    heard = listener.hear("one.wav", "ours")
    row = listener._model.predict("one.wav").iloc[0]
    assert heard.text.startswith(f"## {row['emotion']}\n\nConfidence {row['confidence']:.2f}: ")
    assert heard.text.endswith("`one.wav`, recognized by `ours`") and "window" not in heard.text
    assert heard.scores == pytest.approx({emotion: row[emotion] for emotion in listener._model.emotions})
    waveform, attention = heard.figure.axes
    assert waveform.get_xlim() == (0, 1) and attention.get_ylabel() == "attention in %"


def test_a_recording_unlike_the_training_clips_is_said(listener, monkeypatch):
    listener.hear("one.wav", "ours")
    facts = {"clips": 9, "band_hz": 7900, "levels_db": [-60.0, -50.0]}
    monkeypatch.setitem(listener._model.card, "recordings", facts)
    text = listener.hear("one.wav", "ours").text
    assert (
        "**Unlike the training clips:** its speech has -20 dBFS, but the model was trained on -60 to -50 dBFS" in text
    )
    monkeypatch.setitem(listener._model.card, "recordings", facts | {"levels_db": [-30.0, -10.0]})
    assert "Unlike" not in listener.hear("one.wav", "ours").text


def test_under_the_threshold_it_is_uncertain(listener):
    assert listener.hear("one.wav", "ours", 1.0).text.startswith("## uncertain\n\nThe largest score, ")
    assert not listener.hear("one.wav", "ours", 0.05).text.startswith("## uncertain")


def test_a_long_clip_is_heard_in_windows(listener):
    heard = listener.hear("long.flac", "ours")
    table = listener._model.predict("long.flac").dropna()
    assert len(table) == 5  # of 6 every 5 s, the last moved back to end at 32 s; the first hears digital silence
    assert heard.scores["fear"] == pytest.approx(table["fear"].mean())
    assert (
        "means over 5 windows of 10 s. Windows of digital silence, which are not scored: 1. The curve below"
        in heard.text
    )
    waveform, attention, scores = heard.figure.axes
    assert waveform.get_xlim() == (0, 32)
    assert scores.lines[0].get_xdata().tolist() == [5, 10, 15, 20, 25, 27]
    surest = table.loc[table["confidence"].idxmax()]
    assert attention.lines[0].get_xdata().tolist() == [surest["start"], surest["end"]]


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (None, "**No recording yet.** Upload a recording"),
        ("text.wav", "**This recording cannot be used.** text.wav: not readable as audio"),
        ("nothing.wav", "**This recording cannot be used.** nothing.wav: the file is empty (0 bytes)"),
        ("no_samples.wav", "**This recording cannot be used.** no_samples.wav: the clip is empty (no samples)"),
        ("silent.wav", "**This recording cannot be used.** silent.wav: silent"),
        ("folder.wav", "**This recording cannot be used.** folder.wav: a folder"),
        ("gone.wav", "**This recording cannot be used.** gone.wav: no such file"),
    ],
)
def test_a_mistake_is_a_sentence(listener, folder, file, sentence):
    heard = listener.hear(file and folder / file, "ours")
    assert heard.text.startswith(sentence) and heard.text.endswith(".")
    assert str(folder) not in heard.text and "\n" not in heard.text
    assert heard.scores is None and heard.figure is None


def test_the_last_model_is_kept(monkeypatch, folder):
    loaded = []
    monkeypatch.setattr("sertf.app.session.load", lambda path: loaded.append(path) or object())
    both = session.Listener({"a": "folder a", "b": "folder b"})
    for name in ("a", "a", "b", "b", "a"):
        both._loaded(name)
    assert loaded == ["folder a", "folder b", "folder a"]


def test_a_damaged_model_is_a_sentence(folder):
    damaged = session.Listener({"damaged": model_in(folder / "damaged")})
    assert "damaged is damaged and cannot be loaded" in damaged.hear("one.wav", "damaged").text


def test_a_card_stands_a_level_lower(listener):
    lines = listener.card("ours").splitlines()
    assert lines[0] == "## reslstm_sa_h64_ravdess" and "### Intended use and limits" in lines
    assert not [line for line in lines if line.startswith("# ")]


def toy(shape):
    """A model whose score of "loud" is the mean size of the third quarter's samples."""

    def waveform(waveform, sample_rate):
        quarter = np.abs(np.array_split(waveform, 4, axis=1)[2]).mean(axis=1)  # (batch,)
        answers = {"scores": np.stack([quarter, 1 - quarter], axis=1), "attention": np.array([[0.1, 0.2, 0.7]])}
        return {name: SimpleNamespace(numpy=lambda value=value: value) for name, value in answers.items()}

    inner = SimpleNamespace(signatures={"waveform": waveform})
    return SimpleNamespace(model=inner, card={"front_end": {"shape": shape}}, emotions=["loud", "still"])


def test_inside_is_the_attention():
    curve = session.inside(toy([None, 46]), np.ones(800, "float32"), 100, "loud")
    assert curve.values.tolist() == pytest.approx([10, 20, 70]) and curve.reference == pytest.approx(100 / 3)
    assert (curve.start, curve.end, curve.label) == (0, 8, "attention in %")


def test_inside_is_occlusion_where_steps_do_not_follow_the_clip():
    curve = session.inside(toy([64, 107]), np.ones(800, "float32"), 100, "loud")
    assert curve.values.tolist() == pytest.approx([0] * 10 + [0.2] * 5 + [0] * 5)
    assert curve.end == 8 and curve.reference == 0
