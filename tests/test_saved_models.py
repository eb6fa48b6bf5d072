"""The trained models that the project ships, on real speech."""

import json
import os
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from sertf import corpora
from sertf.audio.conditions import CONDITIONS
from sertf.audio.files import read_audio, resample
from sertf.evaluation.calibration import probabilities
from sertf.files import CHECKSUMS, faults_by_checksums
from sertf.inference import bundled
from sertf.inference.card import read_card
from sertf.inference.card_page import render_card
from sertf.inference.evaluation import training_corpora
from sertf.inference.hub_card import front_matter
from sertf.inference.recognizer import load
from sertf.runs.stored import read_manifests, read_predictions

ROOT = bundled.ROOT
MODELS = sorted(path.parent for path in ROOT.glob("*/saved_model.pb"))
RESULTS = ROOT.parent / "experiments" / "results"
if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


@pytest.fixture(scope="module")
def clips():
    root = Path(os.environ.get("SERTF_DATA", "nowhere")) / "ravdess"
    if not root.is_dir():
        pytest.skip("set SERTF_DATA to a folder that holds ravdess/")
    return [read_audio(path) for path in sorted(root.glob("Actor_*/*"))[::240]]


@pytest.mark.parametrize("folder", MODELS, ids=lambda path: path.name)
def test_loads_and_scores(folder):
    model = load(folder)
    noise = np.random.default_rng(0).normal(scale=0.1, size=model.sample_rate).astype("float32")
    scores = model.predict((noise, model.sample_rate))[model.emotions]
    assert scores.to_numpy().min() >= 0 and scores.to_numpy().max() <= 1  # capsules' lengths do not sum to 1
    card = json.loads((folder / "model_card.json").read_text())
    kept = json.loads((RESULTS / card["experiment"] / card["variant"] / card["protocol"] / "report.json").read_text())
    assert card["audit"] == kept["facts"]["audit"] and card["protocol"] == "strict" and 0 < card["held_out"]["uar"] < 1


@pytest.mark.parametrize("folder", MODELS, ids=lambda path: path.name)
def test_the_card_says_what_the_kept_results_say(folder):
    card = read_card(folder)
    run, place = card["run"], RESULTS / card["experiment"] / card["variant"] / card["protocol"]
    report, manifests = json.loads((place / "report.json").read_text()), read_manifests(place / "manifest.json")
    assert run["digest"] == report["facts"]["digest"] and run["seed"] == manifests[run["repeat"], run["fold"]]["seed"]
    if run["validation_uar"] is None:
        assert run["chosen"].startswith(f"It is the first of {len(manifests)} runs")
    else:
        assert run["chosen"].startswith(f"Of {len(manifests)} runs it has the best validation UAR")
    for key in ("uar", "wa"):
        over, entry = card["over_repeats"][key], report["scores"][key]
        assert (over["mean"], over["std"], over["best"]) == pytest.approx((entry["mean"], entry["std"], entry["best"]))
    kept = read_predictions(place / "predictions.csv.gz").query(f"repeat == {run['repeat']}")
    of_fold, others = kept[kept["fold"] == run["fold"]], kept[kept["fold"] != run["fold"]]
    assert card["held_out"]["names"] == sorted(set(of_fold["speaker"]) - set(others["speaker"]))
    assert card["corpus"]["names"] == sorted(card["corpus"]["name"].split("+"))
    assert card["over_repeats"]["repeats"] == len({repeat for repeat, _ in manifests})
    assert (folder / "README.md").read_text(encoding="utf-8") == front_matter(card) + render_card(card)


@pytest.mark.parametrize("folder", MODELS, ids=lambda path: path.name)
def test_conditions_and_other_corpora_in_the_card_are_of_this_model(folder):
    card, names = read_card(folder), training_corpora(read_card(folder))
    as_recorded, *altered = card["conditions"]["rows"]
    assert as_recorded["condition"] == "as recorded" and len(altered) == len(CONDITIONS)
    # A model that reads one span of a clip scores longer recordings window by window; its run scored the first.
    near = 0.02 if card["front_end"]["span_seconds"] else 0.005
    assert as_recorded["uar"] == pytest.approx(card["held_out"]["uar"], abs=near)
    assert card["conditions"]["utterances"] == card["held_out"]["utterances"]
    assert not set(card.get("other_corpora", {})) & set(names)


@pytest.mark.parametrize("folder", MODELS, ids=lambda path: path.name)
def test_scores_of_clips_are_the_kept_predictions(folder):
    """From the audio itself, through the front end inside the SavedModel."""
    model = load(folder)
    card, run = model.card, model.card["run"]
    folders = {name: Path(os.environ.get("SERTF_DATA", "nowhere")) / name for name in card["corpus"]["name"].split("+")}
    if not all(folder.is_dir() for folder in folders.values()):
        pytest.skip(f"set SERTF_DATA to a folder that holds {', '.join(folders)}")
    kept = pd.read_csv(RESULTS / card["experiment"] / card["variant"] / card["protocol"] / "predictions.csv.gz")
    kept = kept[(kept["repeat"] == run["repeat"]) & (kept["fold"] == run["fold"])].iloc[::16]
    paths = corpora.load_several(folders).set_index("utterance")["path"]
    ours = model.predict([paths[utterance] for utterance in kept["utterance"]])
    ours = ours[ours["start"] == 0]  # the run scored no later window
    expected = kept[model.emotions].to_numpy()
    if "calibration" in card:
        expected = probabilities(expected, card["calibration"]["temperature"])
    report = json.loads((RESULTS / card["experiment"] / card["variant"] / card["protocol"] / "report.json").read_text())
    # A run in bfloat16 kept scores in it; its export computes in float32.
    half = (report["facts"]["recipe"] or {}).get("precision") == "bfloat16"
    np.testing.assert_allclose(ours[model.emotions].to_numpy(), expected, atol=2e-2 if half else 2e-3)


@pytest.mark.parametrize("folder", MODELS, ids=lambda path: path.name)
def test_the_checksums_cover_all_files_but_the_card(folder):
    """A mismatch: `load` refuses the model. Export it again, or write the checksums with `sha256sum`."""
    listed = {line.split("  ", 1)[1] for line in (folder / CHECKSUMS).read_text(encoding="utf-8").splitlines()}
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files - listed == {CHECKSUMS, "model_card.json", "README.md"} and listed <= files
    assert faults_by_checksums(folder) == []


@pytest.mark.parametrize("folder", MODELS, ids=lambda path: path.name)
def test_a_model_is_a_keras_layer(folder):
    """By its default signature, which takes the waveform alone."""
    layer = keras.layers.TFSMLayer(str(folder), call_endpoint="serving_default")
    model = load(folder)
    time = np.arange(2 * model.sample_rate, dtype="float32") / model.sample_rate
    samples = 0.2 * np.sin(2 * np.pi * 200 * (time + 0.2 * time**2)) * np.sin(np.pi * time / 2) ** 2
    expected = model.model.signatures["waveform"](waveform=samples[None], sample_rate=model.sample_rate)["scores"]
    np.testing.assert_allclose(layer(samples[None])["scores"], expected, atol=1e-6)
    inputs = keras.Input((None,))
    scores = keras.Model(inputs, layer(inputs)["scores"]).predict(np.stack([samples] * 3), verbose=0)
    np.testing.assert_allclose(scores, np.repeat(expected, 3, axis=0), atol=1e-6)


@pytest.mark.parametrize("folder", MODELS, ids=lambda path: path.name)
def test_sound_without_speech_gets_equal_scores_and_speech_does_not(folder, clips):
    model = load(folder)
    rate, time = model.sample_rate, np.arange(2 * model.sample_rate) / model.sample_rate
    noise = np.random.default_rng(0).normal(scale=0.1, size=len(time))
    for sound in (noise, 0.2 * np.sin(2 * np.pi * 50 * time), np.zeros(len(time))):
        assert np.ptp(model.outputs(sound[None].astype("float32"), rate)["scores"]) < 1e-6
    for samples, own_rate in clips:
        assert np.ptp(model.outputs(samples[None], own_rate)["scores"]) > 0.01


@pytest.mark.parametrize("rate", [16_000, 24_414, 44_100, 96_000])
def test_real_speech_at_other_rates_scores_as_through_the_training_path(clips, rate):
    """Digital silence in the recordings is what a resampler can go wrong on."""
    model = load(ROOT / "reslstm_sa_h64_ravdess")
    score = model.model.signatures["waveform"]
    for samples, own_rate in clips:
        given = resample(samples, own_rate, rate)
        ours = score(waveform=given[None], sample_rate=rate)["scores"].numpy()
        back = resample(given, rate, model.sample_rate)
        expected = score(waveform=back[None], sample_rate=model.sample_rate)["scores"].numpy()
        np.testing.assert_allclose(ours, expected, atol=0.02)


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("*/model.tflite"), *ROOT.glob("*/litert.npz")]), ids=lambda path: path.parent.name
)
def test_litert_scores_real_speech_as_the_savedmodel(clips, path):
    from sertf.inference.litert import litert_runner

    model, run = load(path.parent), litert_runner(path)
    assert model.card["litert"]["input"] == "waveform"
    for samples, rate in clips:
        samples = resample(samples, rate, model.sample_rate)
        ours = run(waveform=samples[None])["scores"]
        expected = model.model.signatures["waveform"](waveform=samples[None], sample_rate=model.sample_rate)["scores"]
        np.testing.assert_allclose(ours, expected, atol=1e-4)
