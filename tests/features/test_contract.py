"""What every front end in FEATURES promises; runs on the backend that KERAS_BACKEND names."""

import inspect

import keras
import numpy as np
import pytest

import sertf.features
from sertf.errors import SertfError
from sertf.features import FEATURES

TENSORFLOW_ONLY = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="a SavedModel is TensorFlow's")


CASES = {name: (name, {}) for name in FEATURES} | {
    "segments": ("fused_statistics", {"segments": 64}),
    "scalogram": ("scalogram", {"n_scales": 16}),  # one level of its bank: without compiling, JAX is slow on all
    "tokens": ("whisper", {"blocks": (0, 1), "pooling": "none"}),
    "speech": ("whisper", {"blocks": (1,), "pooling": "speech"}),
    "one level": ("speech_log_mel", {"level_db": -26.0}),
    "colours": ("scalogram", {"colour": "rgb", "n_scales": 6, "n_bins": 96, "duration_seconds": 2.5}),
}


@pytest.fixture(params=CASES)
def front_end(request):
    name, options = CASES[request.param]
    if name == "whisper":
        request.getfixturevalue("whisper_weights")
    return FEATURES[name](**options)


def batch_of(front_end):
    """Three utterances with a loud tail beyond their ends, which must not count."""
    generator = np.random.default_rng(1)
    lengths = np.array([72000, 48000, 30001], "int32")
    batch = generator.normal(0, 0.1, (3, 72000)).astype("float32")
    batch[np.arange(72000)[None] >= lengths[:, None]] *= 1000
    return batch, lengths


def values(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_every_public_front_end_is_listed():
    functions = ("FEATURES", "FrontEnd", "check_computed", "find", "make")
    public = {getattr(sertf.features, name) for name in sertf.features.__all__ if name not in functions}
    assert public == set(FEATURES.values())


def test_batched_as_alone(front_end):
    batch, lengths = batch_of(front_end)
    together = values(front_end(batch, lengths))
    assert together.dtype == "float32"
    for row, samples, length in zip(together, batch, lengths, strict=True):
        alone = values(front_end(samples[None, :length]))[0]
        own = front_end.frames(int(length))
        assert alone.shape == (own, front_end.feature_shape[-1])
        np.testing.assert_allclose(row[:own], alone, rtol=1e-5, atol=2e-4)
        assert not row[own:].any()


def test_values_beyond_the_end_never_count(front_end):
    batch, lengths = batch_of(front_end)
    expected = values(front_end(batch, lengths))
    batch[np.arange(72000)[None] >= lengths[:, None]] = np.nan
    np.testing.assert_array_equal(values(front_end(batch, lengths)), expected)


def test_frames_of_ints_arrays_and_tensors(front_end):
    _, lengths = batch_of(front_end)
    expected = [front_end.frames(int(length)) for length in lengths]
    assert all(type(count) is int for count in expected)
    assert front_end.frames(lengths).tolist() == expected
    assert values(front_end.frames(keras.ops.convert_to_tensor(lengths))).tolist() == expected


def test_names_and_shape(front_end):
    assert len(front_end.feature_names) == len(set(front_end.feature_names)) == front_end.feature_shape[-1]
    assert isinstance(type(front_end).version, int)
    assert front_end.minimum_samples >= 1
    start, stop = front_end.span or (0, 1)
    assert 0 <= start < stop
    symbolic = front_end(keras.Input((None,)))
    assert symbolic.shape == (None, *front_end.feature_shape)


def test_config_holds_exactly_the_arguments(front_end):
    arguments = list(inspect.signature(type(front_end)).parameters)
    assert list(front_end.get_config()) == arguments
    batch, lengths = batch_of(front_end)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(front_end))
    assert again.get_config() == front_end.get_config()
    np.testing.assert_array_equal(values(again(batch, lengths)), values(front_end(batch, lengths)))


def test_saved_inside_a_model(front_end, tmp_path):
    waveform, lengths = keras.Input((None,)), keras.Input((), dtype="int32")
    model = keras.Model([waveform, lengths], front_end(waveform, lengths))
    model.save(tmp_path / "model.keras")
    batch = batch_of(front_end)
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(values(again(list(batch))), values(model(list(batch))))


def test_stays_float32_under_a_half_precision_policy(front_end):
    batch, lengths = batch_of(front_end)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        halved = values(type(front_end).from_config(front_end.get_config())(batch, lengths))
    finally:
        keras.config.set_dtype_policy("float32")
    np.testing.assert_array_equal(halved, values(front_end(batch, lengths)))


def test_lengths_beyond_the_samples_are_all_of_them(front_end):
    batch = batch_of(front_end)[0][:, :30001]
    whole = np.full(3, 30001, "int32")
    np.testing.assert_array_equal(values(front_end(batch, whole * 2)), values(front_end(batch, whole)))


def test_what_is_no_padded_batch_of_floats(front_end):
    batch, lengths = batch_of(front_end)
    for bad in (lengths[:1], lengths[:, None]):
        with pytest.raises(SertfError, match=r"lengths must be \(batch,\), the samples of each row, got the shape"):
            front_end(batch, bad)
    with pytest.raises(SertfError, match="waveform must be floats with full scale at 1, got .*int16.*; divide 16-bit"):
        front_end((batch * 100).astype("int16"), lengths)


def test_no_samples(front_end):
    with pytest.raises(SertfError, match="waveform must hold at least"):
        front_end(np.zeros((1, 0), "float32"))
    with pytest.raises(SertfError, match=r"waveform must be \(batch, samples\)"):
        front_end(np.zeros(48000, "float32"))


@TENSORFLOW_ONLY
def test_savedmodel_of_unknown_batch_and_length(front_end, tmp_path):
    import tensorflow as tf

    class Module(tf.Module):
        def __init__(self):
            self.front_end = front_end  # whose weights are saved

        @tf.function(input_signature=[tf.TensorSpec((None, None)), tf.TensorSpec((None,), tf.int32)])
        def __call__(self, waveform, lengths):
            return front_end(waveform, lengths)

    tf.saved_model.save(Module(), str(tmp_path / "saved"))
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    batch, lengths = batch_of(front_end)
    for rows in (slice(0, 3), slice(2, 3)):
        expected = values(front_end(batch[rows], lengths[rows]))
        np.testing.assert_allclose(loaded(batch[rows], lengths[rows]), expected, rtol=1e-5, atol=2e-4)


def test_groups_name_every_dimension(front_end):
    groups, dims = front_end.dimension_groups, front_end.feature_shape[-1]
    assert sum(size for _, size in groups) == dims and "dimension" not in groups[0][0]


def test_frames_are_a_step_apart(front_end):
    """A click 50 steps later changes the frame 50 later most."""
    step = front_end.frame_step_seconds
    if front_end.feature_shape[0] is not None or step is None:
        pytest.skip("its frames are no stretches of time, or a fixed number of them")
    hop = step * front_end.sample_rate
    noise = np.random.default_rng(2).normal(0, 0.1, round(100 * hop)).astype("float32")

    def changed_most(frame):
        clicked = noise.copy()
        clicked[round(frame * hop)] += 5
        return np.abs(values(front_end(clicked[None]) - front_end(noise[None]))[0]).sum(axis=1).argmax()

    assert changed_most(70) - changed_most(20) == 50
