"""Speakers of whom a model has clips: what it estimates of them, and what it answers then."""

import json
import shutil

import keras
import numpy as np
import pytest

from sertf.audio.files import read_audio
from sertf.errors import SertfError
from sertf.evaluation.calibration import probabilities
from sertf.inference import SpeakerError, SpeakerStatistics
from sertf.inference.recognizer import load
from sertf.training.scaling import Scaling

if keras.backend.backend() != "tensorflow":
    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


@pytest.fixture(scope="module")
def model(of_known_speakers):
    return load(of_known_speakers)


@pytest.fixture(scope="module")
def by_hand(known, model):
    """Front end, network and temperature of the run that the model was exported from, without its scaling."""
    from sertf.features import FEATURES

    manifest = json.loads((known / "manifest.json").read_text())
    front_end = FEATURES["mfcc_chroma"](**manifest["front_end"]["config"])
    network = keras.models.load_model(known / "weights.keras", compile=False)

    def features(path):
        return np.asarray(front_end(read_audio(path)[0][None]))[0]

    def scores(path, scaling):
        raw = np.asarray(network(scaling(features(path))[None]))
        return probabilities(raw, model.card["calibration"]["temperature"])[0]

    return features, scores


def clips_of(corpus, number):
    """The paths of one speaker's clips."""
    return list(corpus[corpus["speaker"] == corpus["speaker"].unique()[number]]["path"])


def test_enrolment_changes_answers_as_scaling_by_hand_does(model, by_hand, corpus):
    features, scores = by_hand
    first, *others = clips_of(corpus, 1)
    speaker = model.enroll(others)
    scaling = Scaling.fit([features(path) for path in others])
    np.testing.assert_allclose(speaker.mean, scaling.mean, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(speaker.std, scaling.std, rtol=1e-5)
    assert speaker.clips == len(others) and speaker.count == sum(len(features(path)) for path in others)
    answer = model.predict(first, speaker=speaker)[model.emotions].to_numpy(float)[0]
    np.testing.assert_allclose(answer, scores(first, scaling), atol=1e-5)
    assert np.abs(answer - model.predict(first)[model.emotions].to_numpy(float)[0]).max() > 1e-4


def test_an_unknown_speaker_is_scaled_by_the_training_part(model, by_hand, known, corpus):
    _, scores = by_hand
    with np.load(known / "scaling.npz") as kept:
        unknown = Scaling(kept["mean"], kept["std"])
    path = clips_of(corpus, 2)[0]
    answer = model.predict(path)[model.emotions].to_numpy(float)[0]
    np.testing.assert_allclose(answer, scores(path, unknown), atol=1e-5)


def test_the_saved_model_enrolls_as_python_does(model, corpus):
    import tensorflow as tf

    clips = [read_audio(path)[0] for path in clips_of(corpus, 0)]
    padded = np.zeros((len(clips), max(map(len, clips))), np.float32)
    for row, samples in zip(padded, clips):
        row[: len(samples)] = samples
    lengths = np.array([len(samples) for samples in clips], np.int32)
    found = model.model.signatures["enroll"](waveform=padded, lengths=lengths, sample_rate=16_000)
    speaker = model.enroll([(samples, 16_000) for samples in clips])
    np.testing.assert_allclose(found["mean"], speaker.mean, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found["std"], speaker.std, rtol=1e-5)
    assert int(found["count"]) == speaker.count
    score = model.model.signatures["waveform_of_speaker"]
    given = {"waveform": clips[0][None], "sample_rate": 16_000}
    scores = score(**given, mean=found["mean"], std=found["std"])["scores"]
    expected = model.predict((clips[0], 16_000), speaker=speaker)[model.emotions].to_numpy(float)
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    with pytest.raises(tf.errors.InvalidArgumentError, match="statistics must be finite, and std 0 or more"):
        score(**given, mean=found["mean"], std=-found["std"])


def test_constant_features_of_a_speaker_are_not_divided_by_nothing(model, corpus):
    speaker = model.enroll(clips_of(corpus, 0))
    constant = SpeakerStatistics(**{**vars(speaker), "std": speaker.std * (np.arange(len(speaker.std)) > 2)})
    ones = SpeakerStatistics(**{**vars(speaker), "std": np.where(constant.std == 0, 1, constant.std)})
    tables = [model.predict(clips_of(corpus, 0)[0], speaker=one)[model.emotions] for one in (constant, ones)]
    np.testing.assert_allclose(*tables, atol=1e-6)


def test_a_live_source_of_a_known_speaker_scores_as_its_file(model, corpus):
    speaker = model.enroll(clips_of(corpus, 0))
    samples = read_audio(clips_of(corpus, 0)[0])[0]
    (row,) = model.stream([samples], sample_rate=16_000, speaker=speaker)
    table = model.predict((samples, 16_000), speaker=speaker)
    np.testing.assert_allclose(list(row.scores.values()), table[model.emotions].to_numpy(float)[0], atol=1e-5)


def test_long_and_silent_recordings_enroll_by_their_windows(model):
    noise = np.random.default_rng(0).normal(scale=0.1, size=5 * 16_000).astype("float32")
    with_silence = np.concatenate([noise, np.zeros(2 * 16_000, np.float32)])
    speaker = model.enroll((with_silence, 16_000), window=1, hop=1)
    assert speaker.clips == 5
    expected = model.enroll((noise, 16_000), window=1, hop=1)
    np.testing.assert_allclose(speaker.mean, expected.mean, atol=1e-5)


def test_statistics_of_another_model_are_refused(model, recognizer, corpus, of_known_speakers, tmp_path):
    speaker = model.enroll(clips_of(corpus, 0))
    other = shutil.copytree(of_known_speakers, tmp_path / "other")
    card = json.loads((other / "model_card.json").read_text())
    card["known_speakers"]["model"], card["name"] = "f" * 32, "other"
    (other / "model_card.json").write_text(json.dumps(card))
    message = rf"statistics belong to the model known \({speaker.model[:8]}\), not to other \(ffffffff\); enrol the"
    with pytest.raises(SpeakerError, match=message):
        load(other).predict(clips_of(corpus, 0)[0], speaker=speaker)
    for use in (recognizer.enroll, lambda clips: recognizer.predict(clips, speaker=speaker)):
        with pytest.raises(SpeakerError, match="toy knows no speakers; leave the speaker out, or use a model that"):
            use(clips_of(corpus, 0))
    with pytest.raises(SertfError, match="knows no speakers"):
        recognizer.stream([], sample_rate=16_000, speaker=speaker)


def test_the_card_says_how_speakers_are_known(model, of_known_speakers, known):
    found = model.card["known_speakers"]
    with np.load(known / "scaling.npz") as kept:
        assert found["trained"] == kept["trained"] == 2
    assert found["clips"] is None and len(found["model"]) == 32
    page = (of_known_speakers / "README.md").read_text(encoding="utf-8")
    assert "They scale by the mean and spread of the 2 training speakers." in page
    assert "scores below are of speakers known by all of their own clips" in page


@pytest.fixture(scope="module")
def both(unknown, known, tmp_path_factory):
    """A SavedModel of two networks: one of unknown speakers and one of known ones."""
    from sertf.export import saved_model

    place = tmp_path_factory.mktemp("saved") / "both"
    return load(saved_model.save(unknown, place, of_speakers=known, litert="float32"))


def test_beside_another_network_enrolled_speakers_are_scored_by_their_own(both, model, unknown, corpus, tmp_path):
    from sertf.export import saved_model

    first, *others = clips_of(corpus, 1)
    speaker = both.enroll(others)
    answers = [one.predict(first, speaker=speaker)[one.emotions] for one in (both, model)]
    np.testing.assert_allclose(*answers, atol=1e-5)
    alone = load(saved_model.save(unknown, tmp_path / "alone"))
    answers = [one.predict(first)[one.emotions] for one in (both, alone)]
    np.testing.assert_allclose(*answers, atol=1e-4)


def test_the_card_prints_both_scores_of_two_networks(both, known):
    found = both.card["known_speakers"]
    assert found["held_out"]["uar"] != both.card["held_out"]["uar"] and found["trained"] == 2
    page = (both._path / "README.md").read_text(encoding="utf-8")
    assert f"**UAR of {found['held_out']['uar']:.4f}** and an ECE of {found['ece']:.4f}" in page
    assert "The scores below are of unknown speakers" in page


def test_speech_of_an_enrolled_speaker_has_a_threshold_of_its_own(both, corpus):
    clip, *others = clips_of(corpus, 1)
    speaker = both.enroll(others)
    both.card["known_speakers"]["threshold"], both.threshold = 1.1, 0.0
    assert both.predict(clip, speaker=speaker)["verdict"].tolist() == ["uncertain"]
    assert both.predict(clip)["verdict"].tolist() != ["uncertain"]


def test_networks_of_other_clips_or_kinds_do_not_stand_side_by_side(unknown, known, done, tmp_path):
    from sertf.export import ExportError, saved_model

    wrong = {
        "knows no speakers": (unknown, unknown),
        "was tested on other clips": (done[1] / "repeat-00" / "fold-2", known),
        "knows speakers itself": (known, known),
    }
    for message, (run, beside) in wrong.items():
        with pytest.raises(ExportError, match=message):
            saved_model.save(run, tmp_path / "both", of_speakers=beside)
    assert not (tmp_path / "both").exists()
