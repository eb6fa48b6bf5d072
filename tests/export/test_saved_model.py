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
from sertf.audio.meter import measured
from sertf.evaluation.calibration import calibration_of, ece, fit_temperature, probabilities, truth_and_scores
from sertf.evaluation.certainty import certain_part, certainty_threshold
from sertf.export import saved_model
from sertf.inference.card import ModelError
from sertf.inference.recognizer import load
from sertf.runs.folder import seal

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


@pytest.fixture(scope="module")
def training_path(done, recognizer):
    """Samples at the training rate to scores, as in training: front end, scaling and network, then the temperature."""
    from sertf.features import FEATURES

    place = done[1] / "repeat-01" / "fold-2"
    manifest = json.loads((place / "manifest.json").read_text())
    front_end = FEATURES["mfcc_chroma"](**manifest["front_end"]["config"])
    network = keras.models.load_model(place / "weights.keras", compile=False)
    scaling = np.load(place / "scaling.npz")

    def score(samples):
        features = np.asarray(front_end(samples[None]))
        scores = np.asarray(network((features - scaling["mean"]) / scaling["std"]))
        return probabilities(scores, recognizer.card["calibration"]["temperature"])[0], features

    return score


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
    expected = probabilities(kept[recognizer.emotions], recognizer.card["calibration"]["temperature"])
    np.testing.assert_allclose(predicted[recognizer.emotions], expected, atol=1e-4)


def test_the_card_states_the_calibration_of_the_test_part(recognizer, done):
    """The temperature is of the run's validation part alone; the errors are those of what the model prints."""
    place, found = done[1] / "repeat-01" / "fold-2", recognizer.card["calibration"]
    validation = pd.read_csv(place / "validation_predictions.csv")
    assert found["temperature"] == pytest.approx(fit_temperature(*truth_and_scores(validation)))
    assert found["utterances"] == len(validation) and found["speakers"] == validation["speaker"].nunique()
    tested = pd.read_csv(place / "predictions.csv")
    truth, scores = truth_and_scores(tested)
    assert found["ece_before"] == pytest.approx(ece(truth, probabilities(scores)))
    assert found["ece"] == pytest.approx(ece(truth, probabilities(scores, found["temperature"])))


def test_the_card_names_tested_speakers_and_describes_the_training_clips(recognizer, done, corpus):
    card, tested = recognizer.card, pd.read_csv(done[1] / "repeat-01" / "fold-2" / "predictions.csv")
    assert card["held_out"]["names"] == sorted(set(tested["speaker"])) and card["corpus"]["names"] == ["embedded"]
    others = corpus[~corpus["utterance"].isin(tested["utterance"])]
    meters = [measured(*read_audio(path)) for path in others["path"]]
    found = card["recordings"]
    assert found["clips"] == len(others)
    assert found["levels_db"] == pytest.approx(np.percentile([meter.level for meter in meters], [1, 99]), abs=0.06)
    assert found["band_hz"] == pytest.approx(min(8000, np.percentile([meter.band for meter in meters], 5)), abs=1)


def test_speakers_who_train_too_are_not_named_as_tested(done, tmp_path):
    runs = shutil.copytree(done[1], tmp_path / "small" / "strict")
    clips = pd.read_csv(runs / "clips.csv").assign(speaker="embedded-one", path="gone.wav")
    clips.to_csv(runs / "clips.csv", index=False)
    card = load(saved_model.save(runs, tmp_path / "model", repeat=0, fold="fold-1")).card
    assert card["held_out"]["names"] == [] and "recordings" not in card


@pytest.mark.parametrize(("level_db", "expected"), [(None, True), (-26.0, False)])
def test_a_front_end_of_one_level_does_not_hear_the_level(corpus, level_db, expected):
    from sertf.features import SpeechLogMel

    front_end = SpeechLogMel(16000, level_db=level_db)
    front_end.build((None, None))
    assert saved_model._level_counts(front_end, np.float32(10), corpus["path"].iloc[0]) == expected


def test_the_threshold_of_certain_answers_is_chosen_on_validation_clips(recognizer, done, tmp_path):
    place, temperature = done[1] / "repeat-01" / "fold-2", recognizer.card["calibration"]["temperature"]
    parts = {}
    for name, file in (("validation", "validation_predictions.csv"), ("test", "predictions.csv")):
        truth, scores = truth_and_scores(pd.read_csv(place / file))
        parts[name] = truth, probabilities(scores, temperature)
    accuracy = np.mean(parts["validation"][1].argmax(axis=1) == parts["validation"][0])
    wanted = min(1.0, float(accuracy) + 0.05)
    folder = saved_model.save(done[1], tmp_path / "model", repeat=1, fold="fold-2", certain=wanted)
    found, model = json.loads((folder / "model_card.json").read_text()).get("certainty"), load(folder)
    threshold = certainty_threshold(*parts["validation"], wanted)
    if threshold is None:
        assert found is None and model.threshold == 0
        return
    assert model.threshold == found["threshold"] == pytest.approx(threshold) and found["precision"] == wanted
    for name, part in parts.items():
        assert found[name] == pytest.approx(certain_part(*part, threshold))
    assert f"Under a confidence of {threshold:.3f} the verdict is `uncertain`" in (folder / "README.md").read_text()


def test_models_that_never_met_a_corpus_calibrate_too(done, tmp_path):
    runs = tmp_path / "small" / "strict"
    shutil.copytree(done[1], runs)
    place = runs / "repeat-00" / "fold-1"
    validation = pd.read_csv(place / "validation_predictions.csv")
    left_out = validation.assign(truth=np.roll(validation["truth"], 1))  # where they answer worse
    left_out.to_csv(place / "left_out_predictions.csv", index=False)
    seal(place)
    both = truth_and_scores(pd.concat([validation, left_out]))
    temperature = fit_temperature(*both)
    answers = probabilities(both[1], temperature)
    wanted = float(np.mean(answers.argmax(axis=1) == both[0]))
    model = load(saved_model.save(runs, tmp_path / "model", repeat=0, fold="fold-1", certain=wanted))
    found, certainty = model.card["calibration"], model.card["certainty"]
    assert found["temperature"] == pytest.approx(temperature, rel=1e-4) and found["utterances"] == len(validation)
    assert found["ece_left_out"] == pytest.approx(calibration_of(left_out, temperature)["ece"])
    assert certainty["threshold"] == pytest.approx(certainty_threshold(both[0], answers, wanted))
    assert certainty["left_out"] != certainty["validation"]
    page = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "by one that never met the corpus" in page and "| of a corpus left out of training |" in page


@pytest.fixture
def without_validation(done, tmp_path):
    """The runs, whose first one has no validation part."""
    runs = tmp_path / "small" / "strict"
    shutil.copytree(done[1], runs)
    place = runs / "repeat-00" / "fold-1"
    (place / "validation_predictions.csv").unlink()
    seal(place)
    return runs


def test_without_validation_part_the_other_folds_test_clips_calibrate(without_validation, tmp_path):
    model = load(saved_model.save(without_validation, tmp_path / "model", repeat=0, fold="fold-1", certain=0.1))
    folds = [place for place in (without_validation / "repeat-00").iterdir() if place.name != "fold-1"]
    others = pd.concat([pd.read_csv(place / "predictions.csv") for place in folds])
    found = model.card["calibration"]
    assert found["temperature"] == pytest.approx(fit_temperature(*truth_and_scores(others)), rel=1e-4)
    assert found["by_others"] and (found["utterances"], found["speakers"]) == (len(others), others["speaker"].nunique())
    tested = pd.read_csv(without_validation / "repeat-00" / "fold-1" / "predictions.csv")
    assert not set(tested["utterance"]) & set(others["utterance"])
    page = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert (
        f"{len(others)} other folds' test utterances of {others['speaker'].nunique()} speakers, each scored by the model of its own fold"
        in page
    )
    assert "| other folds' test |" in page and "validation utterances" not in page


def test_a_run_alone_without_validation_part_is_exported_uncalibrated(without_validation, tmp_path):
    for place in (without_validation / "repeat-00").iterdir():
        if place.name != "fold-1":
            shutil.rmtree(place)
    model = load(saved_model.save(without_validation, tmp_path / "model", repeat=0, fold="fold-1"))
    assert "calibration" not in model.card
    assert "It is not calibrated." in (tmp_path / "model" / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("rate", [8000, 22_050, 44_100, 48_000])
def test_other_rates_give_nearly_the_scores_of_training(recognizer, training_path, clip, rate):
    samples = resample(*clip, rate)
    scores = recognizer.model.signatures["waveform"](waveform=samples[None], sample_rate=rate)["scores"][0]
    expected, _ = training_path(resample(samples, rate, clip[1]))
    np.testing.assert_allclose(scores, expected, atol=0.02)


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


def test_bad_places_and_models(exported, done, tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").write_text("mine")
    with pytest.raises(
        saved_model.ExportError, match="is not an exported model .it holds mine.txt. and stays as it is"
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
    with pytest.raises(ModelError, match="that sertf did not export"):
        load(foreign)
    damaged = shutil.copytree(exported, tmp_path / "damaged")
    (damaged / "saved_model.pb").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="damaged"):
        load(damaged)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["damaged", "foreign", "notes"]


def test_two_exports_of_a_run_are_equal_byte_for_byte(done, tmp_path):
    run = next(done[1].glob("repeat-01/fold-2"))
    network = keras.models.load_model(run / "weights.keras", compile=False)
    assert len(network.variables) > len(network.weights)  # seeds of dropout, drawn anew for each copy of a network
    places = [tmp_path / folder / "toy" for folder in ("first", "second")]
    for seed, place in enumerate(places):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": str(seed)}
        command = [sys.executable, "-m", "sertf", "export", str(run), str(place), "--litert", "float16"]
        subprocess.run(command, env=environment, check=True, capture_output=True)
    first, second = ({path.relative_to(place): path for path in place.rglob("*") if path.is_file()} for place in places)
    assert first.keys() == second.keys() and len(first) >= 7
    assert [str(name) for name in first if first[name].read_bytes() != second[name].read_bytes()] == []


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
        seal(run)
        with pytest.raises(
            saved_model.ExportError, match="fold-1 is broken: its model cannot be loaded .*; run it again"
        ):
            saved_model.save(run, tmp_path / "out")
        (run / name).write_bytes(whole)
