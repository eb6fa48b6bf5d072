"""An exported ridge regression trains itself on clips of known speakers, as in training."""

from dataclasses import replace

import numpy as np
import pytest

from sertf.audio.files import read_audio
from sertf.experiment import changes
from sertf.experiment.description import Setting
from sertf.experiment.runner import run_job
from sertf.export.checkpoint import ExportError
from sertf.inference.recognizer import load
from tests import toy
from tests.inference.exports import noise_counts_as_speech


def run_of(corpus, cache, out, protocol, **setting):
    """The run directory of the first fold of a ridge regression on functionals."""
    experiment = replace(
        toy.changed(model="ridge", options={}, recipes=None),
        front_end="functionals",
        front_end_options={},
        protocols={protocol: Setting("speaker-independent-4", **setting)},
    )
    return run_job(toy.planned(corpus, cache, out, experiment=experiment, protocol_names=[protocol])[0])


@pytest.fixture(scope="module")
def run(corpus, cache, tmp_path_factory):
    """A run with each speaker scaled by clips of their own."""
    return run_of(corpus, cache, tmp_path_factory.mktemp("self_training"), "speaker-known", scaling="speaker")


@pytest.fixture(scope="module")
def model(run, tmp_path_factory):
    from sertf.export import saved_model

    with noise_counts_as_speech():
        return load(saved_model.save(run, tmp_path_factory.mktemp("saved") / "ridge"))


@pytest.fixture(scope="module")
def tested(run, corpus):
    """The test part of the run: its clips, and the scores that the run stored."""
    import pandas as pd

    found = pd.read_csv(run / "predictions.csv")
    return found.merge(corpus[["utterance", "path"]], on="utterance")


def scores_of(model, paths, speaker):
    found = [model.predict(path, speaker=speaker)[model.emotions].to_numpy(float)[0] for path in paths]
    return np.array(found)


def test_enrolled_together_the_tested_speakers_get_the_scores_of_the_run(model, tested):
    from sertf.evaluation.calibration import probabilities

    clips = {speaker: list(own["path"]) for speaker, own in tested.groupby("speaker")}
    enrolled = model.enroll_all(clips)
    temperature = model.card["calibration"]["temperature"]
    for speaker, own in tested.groupby("speaker"):
        stored = probabilities(own[model.emotions].to_numpy(float), temperature)
        np.testing.assert_allclose(scores_of(model, own["path"], enrolled[speaker]), stored, atol=2e-3)


def test_clips_change_the_answers_beyond_scaling(model, tested):
    speaker = model.enroll(list(tested["path"]))
    assert speaker.kernel.shape == (*speaker.mean.shape, len(model.emotions)) and speaker.bias.shape == (4,)
    scaled = replace(speaker, kernel=0 * speaker.kernel, bias=0 * speaker.bias)
    answers = [scores_of(model, tested["path"][:1], one) for one in (speaker, scaled)]
    assert np.abs(answers[0] - answers[1]).max() > 1e-3


def test_the_saved_model_alone_does_it_too(model, tested):
    clips = [read_audio(path)[0] for path in tested["path"]]
    padded = np.zeros((len(clips), max(map(len, clips))), np.float32)
    for row, samples in zip(padded, clips):
        row[: len(samples)] = samples
    lengths = np.array([len(samples) for samples in clips], np.int32)
    found = dict(model.model.signatures["enroll"](waveform=padded, lengths=lengths, sample_rate=16_000))
    speaker = model.enroll([(samples, 16_000) for samples in clips])
    assert int(found.pop("count")) == speaker.count
    known = model.model.signatures["waveform_of_speaker"]
    scores = known(waveform=clips[0][None], sample_rate=16_000, **found)["scores"]
    expected = model.predict((clips[0], 16_000), speaker=speaker)[model.emotions].to_numpy(float)
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def test_the_card_says_so(model):
    assert model.card["known_speakers"]["self_training"] is True
    page = (model._path / "README.md").read_text(encoding="utf-8")
    assert "The model also trains itself on these clips" in page and "**speaker)" in page


def test_beside_another_network_its_threshold_counts(run, corpus, cache, tmp_path):
    from sertf.export import saved_model

    strict = run_of(corpus, cache, tmp_path, "strict")
    with noise_counts_as_speech():
        both = load(saved_model.save(strict, tmp_path / "both", of_speakers=run))
    assert "threshold" not in both.card["known_speakers"]
    clips = list(corpus["path"][:6])
    both.threshold = 1.1
    assert both.predict(clips[0], speaker=both.enroll(clips))["verdict"].tolist() == ["uncertain"]


def test_it_becomes_a_keras_model_again(model, run):
    from sertf.inference.pretrained import pretrained

    with np.load(run / "scaling.npz") as kept:
        np.testing.assert_allclose(pretrained(model._path).scaling.mean, kept["mean"], rtol=1e-6)


def test_statistics_are_kept_with_what_the_clips_add(model, tested, tmp_path):
    from sertf.inference import SpeakerStatistics

    speaker = model.enroll(list(tested["path"]))
    again = SpeakerStatistics.load(speaker.save(tmp_path / "all.npz"))
    for name in ("mean", "std", "kernel", "bias"):
        np.testing.assert_array_equal(getattr(again, name), getattr(speaker, name))


def test_an_evaluation_enrolls_speakers_together_or_each_alone(model, tested, corpus):
    table = corpus[corpus["utterance"].isin(tested["utterance"])].reset_index(drop=True)
    clips = {speaker: list(own["path"]) for speaker, own in table.groupby("speaker", sort=False)}
    ways = {"all": model.enroll_all(clips), "each": {name: model.enroll(own) for name, own in clips.items()}}
    for way, enrolled in ways.items():
        found = model.evaluate(table, known_speakers=way).predictions.set_index("utterance")
        for name, own in table.groupby("speaker"):
            expected = scores_of(model, own["path"], enrolled[name])
            np.testing.assert_allclose(found.loc[own["utterance"], model.emotions], expected, atol=1e-4)


def test_features_beside_the_network_are_exported_too(corpus, cache, tmp_path):
    import pandas as pd

    from sertf.evaluation.calibration import probabilities
    from sertf.export import saved_model

    folders = toy.run(corpus, cache, tmp_path / "runs", experiment=toy.on_network(with_teacher=True))
    with noise_counts_as_speech():
        model = load(saved_model.save(folders["ridge", "strict"], tmp_path / "both", repeat=0, fold="fold-1"))
    place = folders["ridge", "strict"] / "repeat-00" / "fold-1"
    found = pd.read_csv(place / "predictions.csv").merge(corpus[["utterance", "path"]], on="utterance")
    expected = probabilities(found[model.emotions].to_numpy(float), model.card["calibration"]["temperature"])
    answers = np.array([model.predict(path)[model.emotions].to_numpy(float)[0] for path in found["path"]])
    np.testing.assert_allclose(answers, expected, atol=5e-3)


def test_a_model_that_reads_a_network_is_exported_with_it(corpus, cache, done, tmp_path):
    """The network belongs to the front end, and serves unknown and known speakers."""
    import pandas as pd

    from sertf.evaluation.calibration import probabilities
    from sertf.export import saved_model

    places = {}
    for protocol, setting in {"strict": {}, "speaker-known": {"scaling": "speaker"}}.items():
        experiment = toy.on_network(protocol, **setting)
        jobs = toy.planned(corpus, cache, tmp_path, experiment=experiment, protocol_names=[protocol], networks=done[1])
        for job in jobs:
            places[protocol, job.fold.name] = run_job(job)
    with noise_counts_as_speech():
        strict, known = (places[protocol, "fold-2"] for protocol in ("strict", "speaker-known"))
        both = load(saved_model.save(strict, tmp_path / "both", of_speakers=known))
    found = pd.read_csv(strict / "predictions.csv").merge(corpus[["utterance", "path"]], on="utterance")
    temperature = both.card["calibration"]["temperature"]
    expected = probabilities(found[both.emotions].to_numpy(float), temperature)
    answers = np.array([both.predict(path)[both.emotions].to_numpy(float)[0] for path in found["path"]])
    np.testing.assert_allclose(answers, expected, atol=2e-3)
    speaker = both.enroll(list(found["path"]))
    with np.load(known / "scaling.npz") as kept:
        np.testing.assert_allclose(
            speaker.mean, kept["speaker_mean"][list(kept["speakers"]).index(found["speaker"][0])], atol=1e-3
        )

    shorter = changes.with_epochs(toy.on_network("speaker-known", scaling="speaker"), 1, ["ridge"])
    folders = toy.run(corpus, cache, tmp_path / "other", experiment=shorter, protocol_names=["speaker-known"])
    with pytest.raises(ExportError, match="reads another network"):
        saved_model.save(strict, tmp_path / "mixed", of_speakers=folders["ridge", "speaker-known"])
