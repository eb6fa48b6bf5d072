import keras
import numpy as np
import pytest

import sertf
from sertf.errors import SertfError
from sertf.inference import RecognizerLayer

if keras.backend.backend() != "tensorflow":

    def test_another_backend_is_refused():
        with pytest.raises(SertfError, match="set KERAS_BACKEND=tensorflow"):
            RecognizerLayer()

    pytest.skip("a SavedModel is TensorFlow's", allow_module_level=True)


@pytest.fixture(scope="module")
def clip():
    return np.random.default_rng(0).normal(scale=0.1, size=(2, 16000)).astype("float32")


def test_scores_in_a_functional_model_saved_and_loaded(clip, tmp_path):
    waveform = keras.Input((None,))
    layer = RecognizerLayer("reslstm_sa_h64_ravdess", sample_rate=16000)
    scores = keras.layers.Dense(2, activation="softmax")(layer(waveform))
    model = keras.Model(waveform, scores)
    model.save(tmp_path / "mine.keras")
    again = keras.saving.load_model(tmp_path / "mine.keras")
    np.testing.assert_allclose(again.predict(clip, verbose=0), model.predict(clip, verbose=0), atol=1e-6)
    assert again.layers[1].emotions == sertf.load("reslstm_sa_h64_ravdess").emotions
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(clip, np.array([0, 1]), verbose=0)


@pytest.mark.parametrize("output", ["scores", "embedding", "attention"])
def test_gives_what_the_signature_gives(clip, output):
    expected = sertf.load("reslstm_sa_h64_ravdess").model.signatures["waveform"](waveform=clip, sample_rate=48000)
    layer = RecognizerLayer("reslstm_sa_h64_ravdess", output=output)
    np.testing.assert_allclose(layer(clip), expected[output], atol=1e-6)
    assert layer.compute_output_shape((None, None)) == (
        None,
        expected[output].shape[1] if output != "attention" else None,
    )


def test_padding_with_lengths_changes_nothing(clip):
    layer = RecognizerLayer("reslstm_sa_h64_ravdess")
    padded = np.pad(clip, ((0, 0), (0, 9000)))
    np.testing.assert_allclose(layer(padded, lengths=np.array([16000, 16000], "int32")), layer(clip), atol=1e-4)


def test_gradients_reach_the_waveform(clip):
    import tensorflow as tf

    layer, given = RecognizerLayer("reslstm_sa_h64_ravdess"), tf.constant(clip)
    with tf.GradientTape() as tape:
        tape.watch(given)
        loss = tf.reduce_sum(layer(given)[:, 0])
    assert np.abs(tape.gradient(loss, given)).max() > 0


def test_mistakes_are_one_sentence():
    with pytest.raises(SertfError, match="has no output 'embedding'; it has scores"):
        RecognizerLayer(output="embedding")
    with pytest.raises(SertfError, match="nowhere"):
        RecognizerLayer("nowhere")
    with pytest.raises(SertfError, match="10 Hz"):
        RecognizerLayer("reslstm_sa_h64_ravdess", sample_rate=10)
