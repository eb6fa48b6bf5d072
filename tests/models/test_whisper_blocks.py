"""Fine-tuned blocks: they start as Whisper's, and refuse other inputs."""

import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.features.whisper import read_weights
from sertf.layers.whisper_encoder import WhisperEncoder
from sertf.models.whisper_blocks import build


def test_untrained_blocks_are_whispers():
    encoder = WhisperEncoder(384, 6, 2)
    read_weights(encoder, "tiny.en")
    tokens = np.random.default_rng(0).normal(size=(2, 11, 384)).astype("float32")
    tokens[1, 8:] = 0
    model = build((None, 384), 4, first=2, last=2)
    ours = keras.Model(model.inputs, model.get_layer("pooled").output)(tokens)
    visible = np.arange(11)[None] < np.array([[11], [8]])
    expected = keras.ops.convert_to_numpy(encoder.layers[1](tokens, visible))
    for row, own in enumerate((11, 8)):
        parts = tokens[row, :own], expected[row, :own]
        wanted = np.concatenate([value for part in parts for value in (part.mean(axis=0), part.std(axis=0))])
        np.testing.assert_allclose(keras.ops.convert_to_numpy(ours)[row], wanted, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((None, 40), {}, r'use the front end whisper with size="tiny.en", blocks=\(1,\) and pooling="speech"'),
        ((None, 384), {"size": "huge"}, "size must be one of tiny.en, base, got 'huge'"),
        ((None, 384), {"first": 3, "last": 2}, "first and last must rise and be at most 4, got 3 and 2"),
        ((None, 384), {"last": 5}, "at most 4, got 2 and 5"),
    ],
)
def test_other_inputs_are_refused(shape, options, message):
    with pytest.raises(SertfError, match=message):
        build(shape, 3, **options)
