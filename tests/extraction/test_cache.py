"""The feature store: hits, misses, damage, bad clips, and an extraction that was broken off."""

import os
import pickle
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import soundfile

from sertf.audio.augmentation import Augmentation, WhiteNoise, copies_of, seed_of
from sertf.audio.files import audio_digest
from sertf.extraction import cache, clip
from sertf.extraction.cache import CacheError, FeatureCache
from sertf.features import LogMel, MfccChroma

RATE = 16000


@pytest.fixture
def front_end():
    return MfccChroma(RATE, n_mfcc=5, n_fft=512, hop_length=256, n_mels=20)


@pytest.fixture
def table(tmp_path):
    """Five noise clips of 0.3 to 0.7 s."""
    generator = np.random.default_rng(0)
    rows = []
    for index in range(5):
        path = tmp_path / "audio" / f"clip{index}.wav"
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, generator.normal(0, 0.1, 4800 + 1600 * index + index), RATE)
        rows.append({"utterance": f"own-clip{index}", "path": str(path)})
    return pd.DataFrame(rows)


@pytest.fixture
def computed(monkeypatch):
    """The lengths of the clips that the front end was asked for."""
    lengths = []
    original = clip.pad_clip

    def counting(samples, sample_rate):
        lengths.append(len(samples))
        return original(samples, sample_rate)

    monkeypatch.setattr(clip, "pad_clip", counting)
    return lengths


def extract(tmp_path, table, front_end, **options):
    return FeatureCache(tmp_path / "cache").extract(table, front_end, progress=False, **options)


def test_features_are_the_front_ends_own(tmp_path, table, front_end):
    features = extract(tmp_path, table, front_end)
    assert features.utterances == list(features) == list(table["utterance"])
    assert len(features) == 5
    assert features.skipped == []
    for utterance, path in zip(table["utterance"], table["path"], strict=True):
        samples, _ = soundfile.read(path, dtype="float32")
        alone = keras.ops.convert_to_numpy(front_end(samples[None]))[0]
        assert features[utterance].dtype == "float32"
        assert features.lengths[utterance] == len(alone) == 1 + len(samples) // 256
        assert features.audio_digests[utterance] == audio_digest(samples, RATE)
        np.testing.assert_allclose(features[utterance], alone, rtol=1e-4, atol=1e-3)
    first, third = features.load(["own-clip0", "own-clip3"])
    assert (len(first), len(third)) == (features.lengths["own-clip0"], features.lengths["own-clip3"])


def test_features_travel_to_worker_processes(tmp_path, table, front_end):
    features = extract(tmp_path, table, front_end)
    content = pickle.dumps(features)
    assert len(content) < 2000
    np.testing.assert_array_equal(pickle.loads(content)["own-clip1"], features["own-clip1"])


def test_second_extraction_computes_nothing(tmp_path, table, front_end, computed):
    first = extract(tmp_path, table, front_end)
    assert len(computed) == 5
    again = extract(tmp_path, table, MfccChroma.from_config(front_end.get_config() | {"name": "other"}))
    assert len(computed) == 5
    assert again == first


def test_copies_are_augmented_stored_and_told_from_their_originals(tmp_path, table, front_end, computed):
    clean = extract(tmp_path, table, front_end)
    augmentation = Augmentation(steps=(WhiteNoise((20.0, 20.0)),))
    made = extract(tmp_path, copies_of(table, 2), front_end, augmentation=augmentation, seed=1)
    assert len(computed) == 15 and len(set(made.audio_digests.values()) | set(clean.audio_digests.values())) == 15
    assert not np.array_equal(made["own-clip1~1"], made["own-clip1~2"])
    samples, _ = soundfile.read(table["path"][1], dtype="float32")
    noisy = augmentation.apply(samples, 1, seed_of(audio_digest(samples, RATE)), 2)
    alone = keras.ops.convert_to_numpy(front_end(noisy[None]))[0]
    np.testing.assert_allclose(made["own-clip1~2"], alone, rtol=1e-4, atol=1e-3)
    again = extract(tmp_path, copies_of(table, 2), front_end, augmentation=augmentation, seed=1)
    assert len(computed) == 15 and again == made
    other = extract(tmp_path, copies_of(table, 1), front_end, augmentation=augmentation, seed=2)
    assert other.audio_digests["own-clip1~1"] != made.audio_digests["own-clip1~1"]
    joined = clean.joined(made)
    assert len(joined) == 15
    np.testing.assert_array_equal(joined["own-clip3"], clean["own-clip3"])


def test_silence_where_the_front_end_reads_cannot_be_made_noisy(tmp_path):
    front_end = LogMel(RATE, offset_seconds=0.1, duration_seconds=0.2, n_fft=256, win_length=256, n_mels=10)
    rows = []
    for name, begins in (("silent", 0), ("sounding", 1600)):
        samples = np.zeros(4800)
        samples[begins : begins + 1600] = 0.1 * np.random.default_rng(0).standard_normal(1600)
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE)
        rows.append({"utterance": name, "path": str(tmp_path / f"{name}.wav")})
    copies = copies_of(pd.DataFrame(rows), 1)
    with pytest.raises(CacheError, match=r"(?s)1 of 2 clips .*silent.wav: it is silent, so the signal-to-noise ratio"):
        extract(tmp_path, copies, front_end, augmentation=Augmentation())
    kept = extract(tmp_path, copies, front_end, augmentation=Augmentation(), skip_bad=True)
    assert list(kept) == ["sounding~1"] and len(kept.skipped) == 1


def test_same_recording_at_another_path_is_a_hit(tmp_path, table, front_end, computed):
    extract(tmp_path, table, front_end)
    moved = tmp_path / "moved.flac"
    samples, _ = soundfile.read(table["path"][0], dtype="int16")
    soundfile.write(moved, samples, RATE)
    features = extract(tmp_path, pd.DataFrame({"utterance": ["x"], "path": [str(moved)]}), front_end)
    assert len(computed) == 5
    assert len(features["x"]) == 1 + 4800 // 256


def test_changed_recording_parameter_and_version_are_misses(tmp_path, table, front_end, computed, monkeypatch):
    first = extract(tmp_path, table, front_end)
    soundfile.write(table["path"][2], np.random.default_rng(9).normal(0, 0.1, 8002), RATE)
    changed = extract(tmp_path, table, front_end)
    assert len(computed) == 6
    assert changed.audio_digests["own-clip2"] != first.audio_digests["own-clip2"]
    other = extract(tmp_path, table, MfccChroma.from_config(front_end.get_config() | {"hop_length": 128}))
    assert len(computed) == 11
    assert other.front_end_digest != first.front_end_digest
    monkeypatch.setattr(MfccChroma, "version", MfccChroma.version + 1)
    extract(tmp_path, table, front_end)
    assert len(computed) == 16


def entries(features):
    return sorted(features.folder.glob("*.npy"))


def truncate(path):
    path.write_bytes(path.read_bytes()[:-5])


def flip(path):
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage", [truncate, flip, lambda path: path.write_bytes(b"garbage"), lambda path: path.open("w")]
)
def test_damaged_entry_is_said_and_made_again(tmp_path, table, front_end, computed, damage):
    features = extract(tmp_path, table, front_end)
    before = {path: path.read_bytes() for path in entries(features)}
    victim = entries(features)[3]
    damage(victim)
    utterance = next(key for key, value in features.audio_digests.items() if value == victim.stem)
    with pytest.raises(CacheError, match=f"{victim.name}: cannot be read"):
        features[utterance]
    with pytest.warns(UserWarning, match=f"{victim.name}: damaged cache entry"):
        extract(tmp_path, table, front_end)
    assert len(computed) == 6
    np.testing.assert_allclose(np.load(victim), features[utterance])
    assert {path.name for path in before} == {path.name for path in entries(features)}


def test_broken_off_extraction_goes_on(tmp_path, table, front_end, computed, monkeypatch):
    original = clip.store
    stored = []

    def interrupted(*arguments):
        if len(stored) == 3:
            raise KeyboardInterrupt
        stored.append(original(*arguments))

    with monkeypatch.context() as patch:
        patch.setattr(clip, "store", interrupted)
        with pytest.raises(KeyboardInterrupt):
            extract(tmp_path, table, front_end, workers=1)
    kept = list((tmp_path / "cache").rglob("*.npy"))
    assert len(kept) == 3
    assert not list((tmp_path / "cache").rglob("*.tmp"))
    computed.clear()
    assert len(extract(tmp_path, table, front_end)) == 5
    assert len(computed) == 2


def test_all_bad_clips_at_once_and_the_others_kept(tmp_path, table, front_end, computed):
    Path(table["path"][1]).write_bytes(b"no audio")
    soundfile.write(table["path"][3], np.zeros(8000), RATE)
    with pytest.raises(CacheError, match="2 of 5 clips cannot be used") as caught:
        extract(tmp_path, table, front_end)
    assert [path for path, _ in caught.value.bad] == [table["path"][1], table["path"][3]]
    for path, reason in caught.value.bad:
        assert f"{path}: {reason}" in str(caught.value)
    features = extract(tmp_path, table, front_end, skip_bad=True)
    assert len(computed) == 3
    assert features.utterances == ["own-clip0", "own-clip2", "own-clip4"]
    assert features.skipped == caught.value.bad
    assert "own-clip1" not in features


def test_too_short_for_the_front_end(tmp_path, table):
    with pytest.raises(CacheError, match="clip0.wav: too short: 0.300 s, LogMel needs 0.500 s"):
        extract(tmp_path, table, LogMel(RATE, name="log_mel"))


def test_features_that_are_not_finite(tmp_path, table, front_end, monkeypatch):
    def poisoned(self, waveform, lengths):
        return np.full((1, 200, 17), np.nan if lengths[0] == 4800 else 0.0, "float32")

    monkeypatch.setattr(clip.Compiled, "__call__", poisoned)
    with pytest.raises(CacheError, match="clip0.wav: its features are not finite"):
        extract(tmp_path, table, front_end)
    assert len(list((tmp_path / "cache").rglob("*.npy"))) == 4


def test_unwritable_folder_before_any_work(tmp_path, table, front_end, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setattr(cache, "extract_clip", None)
    with pytest.raises(CacheError, match="file/below: the feature cache cannot be written"):
        FeatureCache(tmp_path / "file" / "below").extract(table, front_end, progress=False)


def test_disk_that_fills_up(tmp_path, table, front_end, monkeypatch):
    def full(path, array):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(clip, "write_entry", full)
    with pytest.raises(CacheError, match=r"\.npy: cannot be written \(No space left on device\)"):
        extract(tmp_path, table, front_end)


def test_resampled_to_the_front_ends_rate(tmp_path, table, front_end):
    samples, _ = soundfile.read(table["path"][4])
    soundfile.write(table["path"][4], np.repeat(samples, 2), 2 * RATE)
    features = extract(tmp_path, table, front_end)
    assert features.lengths["own-clip4"] == 1 + len(samples) // 256


def test_duplicate_recordings_share_a_digest(tmp_path, table, front_end):
    shutil.copy(table["path"][0], table["path"][1])
    features = extract(tmp_path, table, front_end)
    assert features.audio_digests["own-clip0"] == features.audio_digests["own-clip1"]
    np.testing.assert_array_equal(features["own-clip0"], features["own-clip1"])


def test_what_else_is_missing_changes_no_bit(tmp_path, table, front_end):
    whole = FeatureCache(tmp_path / "whole").extract(table, front_end, progress=False)
    extract(tmp_path, table.iloc[[3, 1]], front_end, workers=1)
    parts = extract(tmp_path, table, front_end, workers=2)
    for utterance in table["utterance"]:
        np.testing.assert_array_equal(parts[utterance], whole[utterance])


def test_progress_goes_to_stderr(tmp_path, table, front_end, capsys):
    FeatureCache(tmp_path / "cache").extract(table, front_end)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "5/5" in captured.err


def test_import_needs_no_keras():
    code = "import sys, sertf.extraction.cache; assert not {'keras', 'tensorflow', 'jax', 'librosa'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_warning_without_damage(tmp_path, table, front_end):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        extract(tmp_path, table, front_end)
        extract(tmp_path, table, front_end)


def test_real_clips(tmp_path):
    root = os.environ.get("SERTF_DATA")
    if not root:
        pytest.skip("SERTF_DATA is not set")
    paths = sorted((Path(root) / "ravdess" / "Actor_03").iterdir())[:8]
    table = pd.DataFrame({"utterance": [path.stem for path in paths], "path": [str(path) for path in paths]})
    features = extract(tmp_path, table, MfccChroma())
    assert all(69 <= frames <= 124 for frames in features.lengths.values())
    assert features[paths[0].stem].shape == (features.lengths[paths[0].stem], 46)


def test_segments_of_a_file_have_features_of_their_own(tmp_path):
    rate, front_end = 16000, LogMel(16000, duration_seconds=0.5)
    samples = np.random.default_rng(0).uniform(-0.3, 0.3, 3 * rate).astype("float32")
    soundfile.write(tmp_path / "call.wav", samples, rate, subtype="FLOAT")
    soundfile.write(tmp_path / "part.wav", samples[rate : 2 * rate], rate, subtype="FLOAT")
    paths = [f"{tmp_path}/call.wav#t=0,1", f"{tmp_path}/call.wav#t=1,2", f"{tmp_path}/part.wav"]
    table = pd.DataFrame({"utterance": ["a", "b", "c"], "path": paths})
    found = FeatureCache(tmp_path / "cache").extract(table, front_end, progress=False)
    assert found.audio_digests["b"] == found.audio_digests["c"] != found.audio_digests["a"]
    np.testing.assert_array_equal(found["b"], found["c"])
