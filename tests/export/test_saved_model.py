import json
import os
import shutil
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest

from sertf.audio.files import read_audio, resample
from sertf.export import saved_model
from sertf.inference.card import ModelError, render_card
from sertf.inference.recognizer import load

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


@pytest.fixture(scope="module")
def training_path(done):
    """Samples at the training rate to scores, as in training: front end, scaling and network one after the other."""
    from sertf.features import FEATURES

    place = done[1] / "repeat-01" / "fold-2"
    manifest = json.loads((place / "manifest.json").read_text())
    front_end = FEATURES["mfcc_chroma"](**manifest["front_end"]["config"])
    network = keras.models.load_model(place / "weights.keras", compile=False)
    scaling = np.load(place / "scaling.npz")

    def score(samples):
        features = np.asarray(front_end(samples[None]))
        return np.asarray(network((features - scaling["mean"]) / scaling["std"]))[0], features

    return score


@pytest.fixture(scope="module")
def clip(corpus):
    return read_audio(corpus["path"].iloc[3])


def test_training_rate_gives_the_scores_of_training(recognizer, training_path, clip):
    samples, rate = clip
    outputs = recognizer.model.signatures["waveform"](waveform=samples[None], sample_rate=rate)
    expected, features = training_path(samples)
    np.testing.assert_allclose(outputs["scores"][0], expected, atol=1e-4)
    from_features = recognizer.model.signatures["features"](features=features)["scores"][0]
    np.testing.assert_allclose(from_features, expected, atol=1e-4)


def test_test_part_scores_as_kept_in_the_run(recognizer, done, corpus):
    kept = pd.read_csv(done[1] / "repeat-01" / "fold-2" / "predictions.csv").set_index("utterance")
    paths = corpus.set_index("utterance").loc[kept.index, "path"]
    predicted = recognizer.predict(list(paths))
    np.testing.assert_allclose(predicted[recognizer.emotions], kept[recognizer.emotions], atol=1e-4)


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000])
def test_other_rates_give_nearly_the_scores_of_training(recognizer, training_path, clip, rate):
    samples = resample(*clip, rate)
    scores = recognizer.model.signatures["waveform"](waveform=samples[None], sample_rate=rate)["scores"][0]
    expected, _ = training_path(resample(samples, rate, clip[1]))
    np.testing.assert_allclose(scores, expected, atol=0.02)


def test_padded_rows_score_as_alone(recognizer, corpus):
    clips = [read_audio(path)[0] for path in corpus["path"].iloc[:3]]
    padded = np.zeros((3, max(map(len, clips))), np.float32)
    for row, samples in zip(padded, clips):
        row[: len(samples)] = samples
    signature = recognizer.model.signatures["waveform_with_lengths"]
    lengths = np.array([len(samples) for samples in clips], np.int32)
    together = signature(waveform=padded, lengths=lengths, sample_rate=16_000)["scores"]
    for row, samples in zip(together, clips):
        alone = recognizer.model.signatures["waveform"](waveform=samples[None], sample_rate=16_000)["scores"][0]
        np.testing.assert_allclose(row, alone, atol=1e-5)


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_what_stands_behind_a_rows_samples_does_not_count(recognizer, clip, rate):
    signature = recognizer.model.signatures["waveform_with_lengths"]
    samples = resample(*clip, rate) if rate != clip[1] else clip[0]
    scores = []
    for filler in (0.0, 0.9):
        padded = np.full((1, len(samples) + rate // 2), filler, np.float32)
        padded[0, : len(samples)] = samples
        found = signature(waveform=padded, lengths=np.array([len(samples)], np.int32), sample_rate=rate)
        scores.append(found["scores"][0])
    np.testing.assert_array_equal(*scores)


def test_from_a_tenth_of_a_second_on(recognizer):
    noise = np.random.default_rng(0).normal(size=(2, 1600)).astype("float32")
    scores = recognizer.model.signatures["waveform"](waveform=noise, sample_rate=16_000)["scores"].numpy()
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("waveform", "rate", "message"),
    [
        (np.zeros((1, 0), "float32"), 16_000, "The waveform is empty"),
        (np.ones((1, 1500), "float32"), 16_000, "too short: 1500 samples at 16000 Hz"),
        (np.ones((1, 1600), "float32"), 0, "sample_rate must lie between"),
        (np.full((1, 1600), np.nan, "float32"), 16_000, "NaN or infinite"),
    ],
)
def test_bad_waveforms_are_refused_in_the_graph(recognizer, waveform, rate, message):
    import tensorflow as tf

    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        recognizer.model.signatures["waveform"](waveform=waveform, sample_rate=rate)


def test_loads_and_runs_with_tensorflow_alone(exported, recognizer, clip, tmp_path):
    """In a process where importing sertf, keras's own code aside, or librosa fails."""
    np.save(tmp_path / "clip.npy", clip[0])
    code = (
        "import sys\n"
        "class Blocked:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.split('.')[0] in ('sertf', 'librosa', 'soxr', 'soundfile', 'pandas'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Blocked())\n"
        "import numpy as np, tensorflow as tf\n"
        "model = tf.saved_model.load(sys.argv[1])\n"
        "x = np.load(sys.argv[2])[None]\n"
        "scores = model.signatures['waveform'](waveform=x, sample_rate=16000)['scores'].numpy()[0]\n"
        "print([e.decode() for e in model.emotions.numpy()], int(model.sample_rate), *scores.tolist(), sep='|')\n"
    )
    command = [sys.executable, "-c", code, str(exported), str(tmp_path / "clip.npy")]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    emotions, rate, *scores = done.stdout.strip().split("|")
    assert emotions == "['neutral', 'happiness', 'sadness', 'anger']" and rate == "16000"
    expected = recognizer.model.signatures["waveform"](waveform=clip[0][None], sample_rate=16_000)["scores"][0]
    np.testing.assert_allclose([float(score) for score in scores], expected, atol=1e-5)


def test_card_states_the_run_and_its_held_out_score(exported, done):
    from sklearn.metrics import balanced_accuracy_score

    card = json.loads((exported / "model_card.json").read_text())
    kept = pd.read_csv(done[1] / "repeat-01" / "fold-2" / "predictions.csv")
    predicted = kept[card["emotions"]].to_numpy().argmax(axis=1)
    truth = [card["emotions"].index(emotion) for emotion in kept["truth"]]
    assert card["held_out"]["uar"] == pytest.approx(balanced_accuracy_score(truth, predicted))
    assert card["run"]["repeat"] == 1 and card["run"]["fold"] == "fold-2"
    assert card["over_repeats"]["repeats"] == 2
    page = (exported / "model_card.md").read_text()
    for wanted in ("Licence of the recordings", "UAR", "speaker", "tf.saved_model.load"):
        assert wanted in page
    assert (exported / "assets" / "labels.txt").read_text().split() == card["emotions"]
    assert "counts as" not in page
    merged = card | {"corpus": card["corpus"] | {"merged": {"calm": "neutral"}}}
    assert " Hz. Calm counts as neutral. Licence of" in render_card(merged)


def test_the_best_validation_score_chooses(done, tmp_path):
    out = saved_model.save(done[1], tmp_path / "best")
    card = json.loads((out / "model_card.json").read_text())
    best = max(
        pd.read_csv(path.with_name("history.csv"))["val_uar"].max() for path in done[1].glob("*/*/manifest.json")
    )
    assert card["run"]["validation_uar"] == pytest.approx(best)
    assert "test scores had no part" in card["run"]["chosen"]


def test_without_a_validation_part_the_first_run_is_taken(done, tmp_path):
    runs = tmp_path / "strict"
    shutil.copytree(done[1], runs)
    for path in runs.glob("*/*/history.csv"):
        history = pd.read_csv(path)
        history[["val_loss", "val_uar", "val_wa"]] = np.nan
        history.to_csv(path, index=False)
    card = json.loads((saved_model.save(runs, tmp_path / "out") / "model_card.json").read_text())
    assert card["run"]["repeat"] == 0 and card["run"]["fold"] == "fold-1"
    assert card["run"]["validation_uar"] is None
    assert "no validation part to choose by" in card["run"]["chosen"]


def test_a_scikit_learn_model_is_no_savedmodel(done, tmp_path):
    runs = tmp_path / "strict"
    shutil.copytree(done[1], runs)
    run = runs / "repeat-00" / "fold-1"
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["model"] = {"name": "svm", "options": {}}
    (run / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(saved_model.ExportError, match="holds a scikit-learn model, which no SavedModel can hold"):
        saved_model.save(run, tmp_path / "out")


def test_a_model_of_files_at_their_own_rates_knows_no_rate(done, tmp_path):
    run = shutil.copytree(done[1], tmp_path / "strict") / "repeat-00" / "fold-1"
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["front_end"] = {"name": "waveform", "options": {}, "config": {"sample_rate": None, "samples": 16000}}
    (run / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(
        saved_model.ExportError, match="every file at its own rate.* train it with a sample_rate of waveform"
    ):
        saved_model.save(run, tmp_path / "out")


def test_bad_places_and_models(exported, done, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("mine")
    with pytest.raises(
        saved_model.ExportError, match="is no exported model .it holds mine.txt. and is not overwritten"
    ):
        saved_model.save(done[1], tmp_path / "notes")
    with pytest.raises(saved_model.ExportError, match="no finished run of repeat 7"):
        saved_model.save(done[1], tmp_path / "new", repeat=7)
    with pytest.raises(ModelError, match="no such folder"):
        load(tmp_path / "nothing")
    with pytest.raises(ModelError, match="not a SavedModel"):
        load(tmp_path / "notes")
    foreign = shutil.copytree(exported, tmp_path / "foreign")
    (foreign / "model_card.json").unlink()
    with pytest.raises(ModelError, match="none that sertf exported"):
        load(foreign)
    damaged = shutil.copytree(exported, tmp_path / "damaged")
    (damaged / "saved_model.pb").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="damaged"):
        load(damaged)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["damaged", "foreign", "notes"]


def test_what_a_killed_export_left_is_removed(done, tmp_path):
    for name in (".one-abcdefgh", ".one-two-abcdefgh"):
        (tmp_path / name / name[1:-9]).mkdir(parents=True)
    saved_model.save(done[1], tmp_path / "one")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".one-two-abcdefgh", "one"]


def test_a_full_disk_and_broken_weights_are_sentences(done, tmp_path, monkeypatch):
    import tensorflow as tf

    def full(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "variables/part-0; No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(tf.saved_model, "save", full)
        with pytest.raises(
            saved_model.ExportError, match="Cannot write .*out: variables/part-0; No space left on device; choo"
        ):
            saved_model.save(done[1], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    run = shutil.copytree(done[1], tmp_path / "strict") / "repeat-00" / "fold-1"
    for name in ("weights.keras", "scaling.npz"):
        whole = (run / name).read_bytes()
        (run / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(
            saved_model.ExportError, match="fold-1 is broken: its model cannot be loaded .*; run it again"
        ):
            saved_model.save(run, tmp_path / "out")
        (run / name).write_bytes(whole)
