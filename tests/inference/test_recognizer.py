import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import tracemalloc
import warnings
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pandas as pd
import pytest
import soundfile

from sertf.audio.files import AudioError, read_audio, resample
from sertf.errors import SertfError
from sertf.features import Scalogram
from sertf.inference.bundled import folder_of
from sertf.inference.card import ModelError
from sertf.inference.recognizer import load
from sertf.inference.recordings import RecordingWarning
from tests.inference.exports import export_of

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


def test_long_files_are_cut_into_windows(recognizer, tmp_path):
    rng = np.random.default_rng(0)
    samples = rng.normal(scale=0.1, size=int(13.5 * 16_000)).astype("float32")
    soundfile.write(tmp_path / "long.wav", samples, 16_000, subtype="FLOAT")
    table = recognizer.predict(tmp_path / "long.wav")
    assert table[["start", "end"]].to_numpy().tolist() == [[0, 10], [3.5, 13.5]]
    part = recognizer.predict((samples[: 10 * 16_000], 16_000))
    np.testing.assert_allclose(
        table.loc[0, recognizer.emotions].astype(float), part.loc[0, recognizer.emotions].astype(float), atol=1e-5
    )
    assert len(recognizer.predict(tmp_path / "long.wav", window=2, hop=1)) == 13


def test_bad_audio(recognizer, tmp_path):
    (tmp_path / "text.wav").write_text("no audio")
    soundfile.write(tmp_path / "short.wav", np.ones(100), 16_000)
    soundfile.write(tmp_path / "silent.wav", np.zeros(16_000), 16_000)
    for name in ("text.wav", "short.wav", "silent.wav", "missing.wav"):
        with pytest.raises(AudioError, match=name):
            recognizer.predict(tmp_path / name)
    # Longer than what is read at once, so that it is read block by block.
    soundfile.write(tmp_path / "long.wav", np.random.default_rng(0).normal(scale=0.1, size=40 * 16_000), 16_000)
    whole = (tmp_path / "long.wav").read_bytes()
    (tmp_path / "long.wav").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(AudioError, match=f"long.wav: cut off: its header states {len(whole) // 2} bytes more"):
        recognizer.predict(tmp_path / "long.wav")
    with pytest.raises(SertfError, match="window must be"):
        recognizer.predict((np.ones(16_000, "float32"), 16_000), window=0.01)
    with pytest.raises(SertfError, match="files is empty"):
        recognizer.predict([])


def test_a_live_source_scores_as_the_same_windows_of_a_file(recognizer):
    samples = np.random.default_rng(0).normal(scale=0.1, size=int(4.5 * 8000)).astype("float32")
    buffer = np.empty(160, np.float32)

    def microphone():
        for start in range(0, len(samples), 160):
            buffer[:] = samples[start : start + 160]  # one buffer, filled again and again
            yield buffer

    rows = list(recognizer.stream(microphone(), sample_rate=8000, window=2, hop=1))
    assert [(row.start, row.end) for row in rows] == [(0, 2), (1, 3), (2, 4), (2.5, 4.5)]
    table = recognizer.predict((samples, 8000), window=2, hop=1)
    assert [row.emotion for row in rows] == table["emotion"].to_list()
    streamed = [[row.scores[name] for name in recognizer.emotions] for row in rows]
    np.testing.assert_allclose(streamed, table[recognizer.emotions].astype(float), atol=1e-5)


def test_a_row_is_there_as_soon_as_its_last_sample_is(recognizer):
    taken = []

    def source():
        for number in range(1000):
            taken.append(number)
            yield np.full(160, 0.1 * (-1) ** number, np.float32)

    rows = recognizer.stream(source(), sample_rate=8000, window=1, hop=0.5)
    assert taken == []
    for end in (50, 75, 100):  # chunks of 20 ms
        assert next(rows).end == end / 50 and len(taken) == end


def test_an_hour_of_chunks_in_bounded_memory(recognizer):
    """180,000 chunks of 20 ms, which make 14 MB of samples: a minute of noise and silence, which is not scored."""
    rate = 1000
    noise = np.random.default_rng(0).normal(scale=0.1, size=(50, 20)).astype("float32")
    silence = np.zeros(20, np.float32)
    hour = (noise[i % 50] if i < 60 * 50 else silence for i in range(3600 * 50))
    rows = recognizer.stream(hour, sample_rate=rate, window=10, hop=10)
    ends = [next(rows).end]  # the graph is traced now, and its memory not measured
    tracemalloc.start()
    ends += [row.end for row in rows]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert ends == list(range(10, 3601, 10))
    assert peak < 1e6


def test_silence_in_a_live_source_is_not_scored(recognizer):
    rows = list(recognizer.stream([np.zeros(8000, np.float32)], sample_rate=8000, window=1))
    assert [row.emotion for row in rows] == [None] and np.isnan(rows[0].confidence)


@pytest.mark.parametrize(
    ("chunk", "message"),
    [
        (np.array([0.1, np.nan], np.float32), "the chunk at 0.50 s: 1 samples are not finite"),
        (np.zeros((2, 10), np.float32), r"the chunk at 0.50 s must have the shape .* got \(2, 10\); transpose them"),
        (np.zeros(10, np.int64), r"the chunk at 0.50 s must be floats .* int64 \(10,\)"),
        (
            np.full(10, -20_000.0),
            "the chunk at 0.50 s: beyond full scale: the largest sample is 20000.*; divide samples",
        ),
    ],
)
def test_bad_chunks(recognizer, chunk, message):
    with pytest.raises(SertfError, match=message):
        list(recognizer.stream([np.ones(4000, "float32"), chunk], sample_rate=8000))


def test_the_shortest_window_at_rates_of_which_it_is_no_whole_number_of_samples(recognizer, tmp_path):
    shortest, rate = recognizer.card["minimum_seconds"], 11_025
    assert shortest * rate % 1
    samples = np.random.default_rng(0).normal(scale=0.1, size=rate // 2).astype("float32")
    soundfile.write(tmp_path / "clip.wav", samples, rate)
    heard = list(recognizer.stream([samples], sample_rate=rate, window=shortest, hop=shortest))
    assert len(heard) == len(recognizer.predict(tmp_path / "clip.wav", window=shortest, hop=shortest)) > 1


def test_bad_live_sources(recognizer):
    with pytest.raises(SertfError, match="ended without a single sample"):
        list(recognizer.stream([], sample_rate=8000))
    with pytest.raises(AudioError, match="the source: too short"):
        list(recognizer.stream([np.ones(10, "float32")], sample_rate=8000))
    for options, message in (
        ({"sample_rate": 10}, "its sample rate is 10 Hz"),
        ({"sample_rate": "48k"}, "sample_rate must be a whole number"),
        ({"sample_rate": 8000, "window": 0.01}, "window must be"),
        ({"sample_rate": 8000, "hop": 11}, "hop must lie between"),
    ):
        with pytest.raises(SertfError, match=message):
            recognizer.stream([], **options)


def test_a_model_of_a_fixed_span_hears_all_of_a_longer_clip(of_one_second, tmp_path):
    model = load(of_one_second)
    assert model.card["front_end"]["span_seconds"] == [0, 1]
    samples = np.random.default_rng(0).normal(size=int(2.75 * 8000)).astype("float32")
    soundfile.write(tmp_path / "clip.wav", samples, 8000, subtype="FLOAT")
    tables = [model.predict((samples, 8000)), model.predict(tmp_path / "clip.wav")]
    for table in tables:
        assert table[["start", "end"]].to_numpy().tolist() == [[0, 1], [0.5, 1.5], [1, 2], [1.5, 2.5], [1.75, 2.75]]
        assert np.ptp(table[model.emotions].to_numpy(), axis=0).min() > 0.01
    call = model.model.signatures["waveform"](waveform=samples[None], sample_rate=8000)["scores"]
    np.testing.assert_allclose(tables[0].loc[[0], model.emotions].astype(float), call, atol=1e-6)
    assert [len(model.predict((samples[:count], 8000))) for count in (4000, 8000)] == [1, 1]
    streamed = list(model.stream(np.split(samples, 5), sample_rate=8000))
    assert [window.end for window in streamed] == tables[0]["end"].to_list()
    with pytest.raises(SertfError, match="0.1 s or more and at most 1 s, which is all that this model uses, but is 2"):
        model.predict((samples, 8000), window=2)


def test_a_model_of_the_middle_of_a_clip_hears_all_of_a_longer_one(done, tmp_path):
    front_end = Scalogram(8000, duration_seconds=1, n_scales=4, n_bins=16, fmin=200, fmax=3000)
    folder = export_of(front_end, done, tmp_path)
    model = load(folder)
    card = model.card["front_end"]
    assert card["span_seconds"] is None and card["middle_seconds"] == 1
    samples = np.random.default_rng(0).normal(size=int(2.75 * 8000)).astype("float32")
    table = model.predict((samples, 8000))
    assert table[["start", "end"]].to_numpy().tolist() == [[0, 1], [0.5, 1.5], [1, 2], [1.5, 2.5], [1.75, 2.75]]
    with pytest.raises(SertfError, match="at most 1 s, which is all that this model uses, but is 2"):
        model.predict((samples, 8000), window=2)
    text = (folder / "README.md").read_text()
    assert (
        "One call scores the middle 1 s of a clip and ignores the rest" in text
        and "recording in windows of 1 s" in text
    )


def test_a_card_that_states_no_span_is_of_a_model_that_hears_all(of_one_second, tmp_path):
    older = shutil.copytree(of_one_second, tmp_path / "older")
    card = json.loads((older / "model_card.json").read_text())
    del card["front_end"]["span_seconds"]
    (older / "model_card.json").write_text(json.dumps(card))
    model, samples = load(older), np.random.default_rng(0).normal(size=11 * 8000).astype("float32")
    assert model.predict((samples, 8000))[["start", "end"]].to_numpy().tolist() == [[0, 11]]
    assert len(model.predict((samples, 8000), window=5, hop=5)) == 3


def test_scores_that_are_not_finite_are_an_error(of_one_second, monkeypatch):

    model, samples = load(of_one_second), np.random.default_rng(0).normal(scale=0.1, size=8000).astype("float32")
    monkeypatch.setattr(model, "outputs", lambda *_, **__: {"scores": np.full((1, len(model.emotions)), np.nan)})
    with pytest.raises(AudioError, match="the samples: the model gives scores that are not finite"):
        model.predict((samples, 8000))
    with pytest.raises(AudioError, match="not finite"):
        list(model.stream([samples], sample_rate=8000, window=1))


def test_recordings_in_memory_score_as_their_file_does(recognizer, tmp_path):
    samples = np.random.default_rng(0).integers(-3000, 3000, 2 * 16_000, dtype="int16")
    soundfile.write(tmp_path / "clip.wav", samples, 16_000)
    expected = recognizer.predict(tmp_path / "clip.wav").drop(columns="file")
    content, floats = (tmp_path / "clip.wav").read_bytes(), samples / np.float32(32768)
    with open(tmp_path / "clip.wav", "rb") as file:
        given = [io.BytesIO(content), file, (16_000, samples), (floats, 16_000)]
        given += [{"array": floats, "sampling_rate": 16_000, "path": None}, (16_000, np.stack([samples] * 2, axis=1))]
        table = recognizer.predict(given)
    for row in range(len(given)):
        np.testing.assert_allclose(table.loc[[row], recognizer.emotions], expected[recognizer.emotions], atol=1e-6)
    assert table["file"].to_list() == ["", str(tmp_path / "clip.wav"), "", "", "", ""]


def test_scores_of_many_clips_are_those_of_predict(recognizer):
    rng = np.random.default_rng(0)
    clips = [
        (rng.normal(scale=0.1, size=size).astype("float32"), rate)
        for size, rate in ((9000, 8000), (4000, 8000), (32000, 16000), (5000, 8000))
    ]
    expected = recognizer.predict(clips)[recognizer.emotions]
    np.testing.assert_allclose(recognizer.score(clips), expected, atol=1e-5)
    long = rng.normal(scale=0.1, size=8000 * 25).astype("float32")
    windows = recognizer.predict((long, 8000))[recognizer.emotions]
    assert len(windows) > 1
    scores = recognizer.score([(long, 8000), (np.zeros(8000, "float32"), 8000)])
    np.testing.assert_allclose(scores[0], windows.mean(), atol=1e-5)
    assert np.isnan(scores[1]).all()


def test_a_recording_unlike_the_training_clips_warns(recognizer, corpus, monkeypatch):
    samples, rate = soundfile.read(corpus["path"].iloc[0], dtype="float32")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recognizer.predict(list(corpus["path"]))  # its own training clips do not
    with pytest.warns(RecordingWarning, match=r"the samples: its speech has -\d+ dBFS, but the model was trained on"):
        recognizer.predict((samples * 1e-3, rate))
    monkeypatch.delitem(recognizer.card, "recordings")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recognizer.predict((samples * 1e-3, rate))  # a card that does not state them


@pytest.fixture(scope="module")
def litert():
    """A bundled model that LiteRT serves."""
    return load(folder_of("reslstm_sa_h64_ravdess"))


def test_litert_and_the_savedmodel_agree_at_any_rate(litert, corpus):
    assert "model" not in vars(litert)  # the SavedModel is not loaded
    for number, path in enumerate(corpus["path"].iloc[:8]):
        samples, rate = read_audio(path)
        given, own = (resample(samples, rate, 44100), 44100) if number % 2 else (samples, rate)
        ours = litert.outputs(given[None], own)
        expected = litert.model.signatures["waveform"](waveform=given[None], sample_rate=own)
        assert sorted(ours) == sorted(expected)
        np.testing.assert_allclose(ours["scores"], expected["scores"], atol=1e-3)


def test_outputs_of_a_batch_are_those_of_its_clips(litert):
    clips = np.random.default_rng(0).normal(scale=0.1, size=(3, 16_000)).astype("float32")
    batch = litert.outputs(clips, 16_000)
    for row, clip in enumerate(clips):
        one = litert.outputs(clip[None], 16_000)
        for name in batch:
            np.testing.assert_allclose(batch[name][row], one[name][0], atol=1e-6)


def test_windows_are_the_rows_of_a_table(recognizer):
    noise = np.random.default_rng(0).normal(scale=0.1, size=24_000).astype("float32")
    rows = list(recognizer.windows((noise, 8000), window=1, hop=1))
    table = recognizer.predict((noise, 8000), window=1, hop=1)
    assert [row[:5] for row in rows] == [tuple(row) for row in table.iloc[:, 1:6].itertuples(index=False)]
    assert [list(row.scores.values()) for row in rows] == table[recognizer.emotions].to_numpy().tolist()


def test_a_threshold_makes_answers_uncertain(recognizer, monkeypatch):
    noise = (np.random.default_rng(0).normal(scale=0.1, size=8000), 8000)
    assert recognizer.threshold == recognizer.card.get("certainty", {"threshold": 0})["threshold"]
    (row,) = recognizer.predict(noise, threshold=1.0).to_dict("records")
    assert row["verdict"] == "uncertain" and row["emotion"] in recognizer.emotions
    monkeypatch.setattr(recognizer, "threshold", 1.0)
    assert recognizer.predict(noise)["verdict"].tolist() == ["uncertain"]
    assert [window.verdict for window in recognizer.stream([noise[0]], sample_rate=8000, window=1)] == ["uncertain"]
    assert recognizer.predict(noise, threshold=0.0)["verdict"].tolist() == [row["emotion"]]


@pytest.mark.noise_is_no_speech
def test_noise_gets_no_emotion(recognizer):
    rate = 16_000
    noise = np.random.default_rng(0).normal(scale=0.1, size=12 * rate)
    noise[4 * rate : 8 * rate] *= np.sin(np.arange(4 * rate) / rate * 4 * np.pi) ** 2  # rises and falls as speech does
    noise[8 * rate :] = 0
    table = recognizer.predict((noise, rate), window=4, hop=4)
    assert table["verdict"].tolist() == ["no speech", table["emotion"].iloc[1], "silence"]
    assert table["emotion"].isna().tolist() == table["confidence"].isna().tolist() == [True, False, True]
    assert "no speech" in str(table)
    scored = recognizer.predict((noise, rate), window=4, hop=4, voice_activity=False)
    assert scored["emotion"].isna().tolist() == [False, False, True]
    for choice, verdicts in ((True, {"no speech"}), (False, set(recognizer.emotions))):
        streamed = recognizer.stream([noise[: 4 * rate]], sample_rate=rate, window=4, voice_activity=choice)
        assert {window.verdict for window in streamed} <= verdicts
    assert [w.verdict for w in recognizer.stream([noise], sample_rate=rate, window=4, hop=4, threshold=1.0)][
        1
    ] == "uncertain"


def test_pickled_by_its_folder(recognizer, litert):
    for model in (recognizer, litert):
        again = pickle.loads(pickle.dumps(model))
        noise = (np.random.default_rng(0).normal(scale=0.1, size=8000), 8000)
        again.threshold = 0.125
        assert pickle.loads(pickle.dumps(again)).threshold == 0.125
        pd.testing.assert_frame_equal(again.predict(noise), model.predict(noise, threshold=0.125))


@pytest.mark.parametrize("kind", ["recognizer", "litert"])
def test_threads_share_a_model(kind, request):
    """LiteRT has one set of tensors, TensorFlow none; both give each clip its own answer."""
    model = request.getfixturevalue(kind)
    clips = [voice(seed) for seed in range(8)]
    alone = [model.outputs(clip[None], 16_000)["scores"] for clip in clips]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda clip: model.outputs(clip[None], 16_000)["scores"], clips * 4))
    for found, expected in zip(together, alone * 4):
        np.testing.assert_allclose(found, expected, atol=1e-6)
    assert len({scores.tobytes() for scores in alone}) == 8


def test_threads_load_models_of_their_own():
    with ThreadPoolExecutor(8) as pool:
        models = list(pool.map(lambda _: load(folder_of("reslstm_sa_h64_ravdess")), range(8)))
        scores = list(pool.map(lambda model: model.outputs(voice(0)[None], 16_000)["scores"], models))
        loaded = list(pool.map(lambda _: models[0].model, range(8)))
    assert len({found.tobytes() for found in scores}) == 1
    assert all(model is loaded[0] for model in loaded)


def voice(seed):
    """A buzz of 1.5 s whose pitch and level change, (samples,)."""
    time = np.arange(24_000) / 16_000
    buzz = sum(np.sin(k * 2 * np.pi * (100 + 20 * seed) * (time + 0.1 * time**2)) / k for k in range(1, 12))
    return (0.1 * buzz * np.sin(np.pi * time / 1.5) ** 2).astype("float32")


_FORKED = """
import os, sys, signal, numpy as np, sertf
samples = np.load(sys.argv[2])
model = sertf.load(sys.argv[1])
before = model.outputs(samples[None], 16000)["scores"]
child = os.fork()
if child == 0:
    signal.alarm(60)
    try:
        again = model.outputs(samples[None], 16000)["scores"]
        print("equal" if np.allclose(before, again) else "differs")
    except sertf.errors.SertfError as error:
        print(error)
    sys.stdout.flush()
    os._exit(0)
sys.exit(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("reslstm_sa_h64_ravdess", "equal"),
        ("speechnet_emodb", "This process was forked after sertf had started TensorFlow"),
    ],
)
def test_after_a_fork_a_model_answers_or_says_that_it_cannot(tmp_path, name, said):
    np.save(tmp_path / "clip.npy", voice(0))
    command = [sys.executable, "-W", "ignore", "-c", _FORKED, name, str(tmp_path / "clip.npy")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and done.stdout.startswith(said), (done.returncode, done.stdout, done.stderr)


def test_changed_files_are_named_and_the_card_may_change(exported, tmp_path):
    folder = shutil.copytree(exported, tmp_path / "model")
    (folder / "README.md").write_text("another page")
    load(folder)
    variables = folder / "variables" / "variables.data-00000-of-00001"
    content = bytearray(variables.read_bytes())
    content[len(content) // 2] ^= 1
    variables.write_bytes(content)
    with pytest.raises(ModelError, match=r"damaged \(variables/variables.data-00000-of-00001 has changed\)"):
        load(folder)
    (folder / "assets" / "labels.txt").unlink()
    with pytest.raises(ModelError, match="assets/labels.txt is missing"):
        load(folder)
