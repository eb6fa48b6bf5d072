"""Whisper's encoder blocks against a literal computation in float64, with weights drawn at random."""

import keras
import numpy as np
import pytest

from sertf.layers.whisper_encoder import WhisperEncoder
from tests.whisper_reference import encoder_outputs

DIMS, HEADS, BLOCKS, TOKENS = 16, 4, 2, 30


def drawn(shape, seed, scale=0.3):
    return np.random.default_rng(seed).normal(0, scale, shape).astype("float16")


def random_weights():
    """By the names of the checkpoints on Hugging Face."""
    shapes = {"conv1": (DIMS, 80, 3), "conv2": (DIMS, DIMS, 3)}
    for index in range(BLOCKS):
        own = f"layers.{index}"
        shapes |= {f"{own}.self_attn.{part}_proj": (DIMS, DIMS) for part in ("q", "k", "v", "out")}
        shapes |= {f"{own}.fc1": (4 * DIMS, DIMS), f"{own}.fc2": (DIMS, 4 * DIMS)}
        shapes |= {f"{own}.self_attn_layer_norm": (DIMS,), f"{own}.final_layer_norm": (DIMS,)}
    weights = {"embed_positions.weight": drawn((1500, DIMS), 0)}
    for seed, (name, shape) in enumerate(shapes.items(), start=1):
        weights[f"{name}.weight"] = drawn(shape, seed)
        if "k_proj" not in name:
            weights[f"{name}.bias"] = drawn(shape[:1], 100 + seed)
    return weights


@pytest.fixture
def weights():
    return random_weights()


@pytest.fixture
def encoder(weights):
    from sertf.features.whisper import assign

    encoder = WhisperEncoder(DIMS, HEADS, BLOCKS)
    encoder.build((None, None, 80))
    assign(encoder, weights)
    return encoder


def mel_of(tokens, seed=0, batch=1):
    return np.random.default_rng(seed).normal(0, 0.5, (batch, 2 * tokens, 80)).astype("float32")


def test_every_output_equals_the_literal_computation(encoder, weights):
    mel = mel_of(TOKENS)
    outputs = encoder(mel, np.ones((1, TOKENS), bool))
    expected = encoder_outputs(weights, mel[0], HEADS)
    assert len(outputs) == len(expected) == 1 + BLOCKS
    for ours, theirs in zip(outputs, expected, strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(ours)[0], theirs, rtol=1e-4, atol=1e-4)


def test_tokens_beyond_the_end_take_part_in_nothing(encoder):
    mel = mel_of(TOKENS, batch=2)
    visible = np.arange(TOKENS)[None] < np.array([[TOKENS], [11]])
    together = encoder(mel, visible)
    alone = encoder(mel[1:, :22], np.ones((1, 11), bool))
    for row, single in zip(together, alone, strict=True):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(row)[1, :11], keras.ops.convert_to_numpy(single)[0], rtol=1e-5, atol=1e-5
        )


def test_stored_in_half_precision_computed_in_single(encoder):
    kernel = encoder.layers[0].dense1.kernel
    assert kernel.dtype == "float16"
    assert encoder(mel_of(TOKENS), np.ones((1, TOKENS), bool))[-1].dtype == "float32"


def test_rebuilt_from_its_configuration(encoder):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(encoder))
    assert again.get_config() == encoder.get_config()
    assert [variable.dtype for variable in again.variables] == [variable.dtype for variable in encoder.variables]
