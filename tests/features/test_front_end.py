"""What a front end has from its base class; tests/features/test_contract.py holds what each of the zoo's promises."""

import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.features import FrontEnd
from sertf.features.front_end import counted


class Peaks(FrontEnd):
    """The largest magnitude of each stretch of samples that is full."""

    def __init__(self, sample_rate=8000, hop_length=4):
        super().__init__(sample_rate)
        self.hop_length = hop_length
        self.feature_shape = (None, 1)
        self.minimum_samples = hop_length

    def frames(self, lengths):
        return lengths // self.hop_length

    def features(self, waveform, lengths):
        count = keras.ops.shape(waveform)[1] // self.hop_length
        stretches = keras.ops.reshape(waveform[:, : count * self.hop_length], (-1, count, self.hop_length))
        return keras.ops.max(keras.ops.abs(stretches), axis=2)[:, :, None] + 1.0


class Bare(FrontEnd):
    """A front end that defines nothing."""

    def __init__(self, sample_rate=None, frames=None):
        super().__init__(sample_rate)
        self.feature_shape = (frames, 2)


def test_rows_beyond_an_utterances_own_frames_are_zero():
    waveform = np.full((2, 12), 0.5, "float32")
    features = keras.ops.convert_to_numpy(Peaks()(waveform, np.array([12, 6], "int32")))
    assert features[:, :, 0].tolist() == [[1.5, 1.5, 1.5], [1.5, 0, 0]]


def test_trimming_leaves_a_frame_of_an_utterance_of_zeros(monkeypatch):
    monkeypatch.setattr(Peaks, "trims", True)
    rows = np.zeros((3, 1), "float32")
    assert Peaks().own_frames(rows, 12).shape == (1, 1)
    rows[1] = 1
    assert Peaks().own_frames(rows, 12).shape == (2, 1)


def test_samples_beyond_the_length_do_not_count():
    waveform = np.zeros((1, 8), "float32")
    waveform[0, 6:] = 9
    features = keras.ops.convert_to_numpy(Peaks()(waveform, np.array([6], "int32")))
    assert features[0, :, 0].tolist() == [1, 0]


def test_a_clip_below_the_minimum_is_refused():
    with pytest.raises(SertfError, match="waveform must hold at least 4 samples"):
        Peaks()(np.zeros((1, 3), "float32"))


def test_output_shape_follows_the_frames():
    assert Peaks().compute_output_shape((2, 12)) == (2, 3, 1)
    assert Peaks().compute_output_shape((None, None)) == (None, None, 1)
    assert Bare(frames=7).compute_output_shape((2, 12)) == (2, 7, 2)


def test_a_fixed_number_of_frames_needs_no_frames_method():
    assert Bare(frames=7).frames(100) == 7
    assert Bare(frames=7).frames(np.array([3, 5])).tolist() == [7, 7]


def test_what_a_subclass_must_define():
    with pytest.raises(SertfError, match=r"Bare must define frames\(lengths\)"):
        Bare().frames(100)
    with pytest.raises(SertfError, match=r"Bare must define features\(waveform, lengths\)"):
        Bare(frames=7)(np.zeros((1, 8), "float32"))


def test_an_argument_that_is_not_kept_is_named():
    with pytest.raises(SertfError, match=r"Bare must store .* but has no sample_rate_hz; add self.sample_rate_hz ="):
        type("Bare", (Bare,), {"__init__": lambda self, sample_rate_hz=1: Bare.__init__(self)})().get_config()


def test_config_is_plain():
    class Banded(Bare):
        def __init__(self, bands=(1, 2), edges=None):
            super().__init__()
            self.bands, self.edges = bands, edges

    config = Banded(edges={"low": [1.0, 2.0]}).get_config()
    assert config == {"bands": (1, 2), "edges": {"low": [1.0, 2.0]}}
    assert [type(value) for value in (config["bands"], config["edges"], config["edges"]["low"])] == [tuple, dict, list]


@pytest.mark.parametrize("rate", [0, -8000, 8000.5, "8000"])
def test_a_sample_rate_is_a_whole_number(rate):
    with pytest.raises(SertfError, match="sample_rate"):
        Bare(sample_rate=rate)


def test_frame_step_is_the_hop_in_seconds():
    assert Peaks(8000, 4).frame_step_seconds == 0.0005
    assert Peaks(None, 4).frame_step_seconds is None and Bare(8000).frame_step_seconds is None


def test_dimensions_are_numbered_unless_a_front_end_groups_them():
    assert Bare().dimension_groups == [("dimension 1 to 2", 2)]
    assert counted("MFCC", 34) == ("MFCC 1 to 34", 34)


def test_features_stay_float32_and_untrained_under_half_precision():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layer = Peaks()
        features = layer(np.zeros((1, 8), "float32"))
    finally:
        keras.config.set_dtype_policy("float32")
    assert keras.backend.standardize_dtype(features.dtype) == "float32" and not layer.trainable
