import numpy as np
import pytest

from sertf.audio.augmentation import Augmentation, WhiteNoise
from sertf.extraction.clip import altered, pad_clip
from sertf.features import LogMel

RATE = 16000


@pytest.mark.parametrize(("samples", "padded"), [(1, 8000), (8000, 8000), (8001, 16000), (47999, 48000)])
def test_padded_to_standard_lengths(samples, padded):
    waveform, lengths = pad_clip(np.ones(samples, "float32"), RATE)
    assert waveform.shape == (1, padded)
    assert waveform.sum() == lengths[0] == samples


def test_augmentation_acts_on_what_the_front_end_reads():
    front_end = LogMel(RATE, offset_seconds=0.5, duration_seconds=1.0, n_fft=256, win_length=256, n_mels=10)
    samples = np.full(RATE, 0.1, "float32")
    augmentation = Augmentation(steps=(WhiteNoise((10.0, 10.0)),))
    noisy = altered(front_end, augmentation, 0, 1, samples, "digest")
    assert len(noisy) == 1.5 * RATE  # the cut's padding is noisy too
    np.testing.assert_array_equal(noisy[:8000], samples[:8000])
    difference = noisy[8000:].astype("float64") - np.concatenate([samples[8000:], np.zeros(8000)])
    assert 10 * np.log10(0.005 / np.mean(difference**2)) == pytest.approx(10, abs=1e-3)
