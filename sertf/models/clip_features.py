"""What a linear model reads of trained networks: one row of values a clip, from unscaled features."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sertf.models.attentive_cnn import INNER_STATES

if TYPE_CHECKING:
    import keras


def clip_features(
    network: "keras.Model", mean: np.ndarray, std: np.ndarray, *, name: str = "clip_features"
) -> "keras.Model":
    """The network up to its representation of a clip, with the scaling of its features in front.

    The values are those of the layer "embedding". Of an attentive CNN they are followed by mean and deviation over time
    of each band and channel behind its second block, which tell more of a known speaker than the embedding alone.

    Args:
        network: trained, with a layer "embedding" and features of (frames, dims) as input.
        mean: of the scaling of the network's features, (dims,) or (frames, dims).
        std: its deviation.
        name: of the network that is made.

    Returns:
        A network from unscaled features (batch, frames, dims) to (batch, 1, values) in float32. Frames of zeros at the
        ends are padding where the network reads any number of frames.
    """
    import keras

    from sertf.layers import FrameMask
    from sertf.layers.whisper_encoder import MeanAndDeviation

    layers = {layer.name for layer in network.layers}
    values = network.get_layer("embedding").output
    states, own = INNER_STATES
    if states in layers and own in layers:
        inner = network.get_layer(states).output  # (batch, steps, bands, channels)
        inner = keras.layers.Reshape((-1, int(np.prod(inner.shape[2:]))), name="inner_states")(inner)
        statistics = MeanAndDeviation(name="inner_statistics")(inner, network.get_layer(own).output)
        values = keras.layers.Concatenate(name="values")([values, statistics])
    read = keras.Model(network.input, values, name=network.name)

    features = keras.Input(network.input_shape[1:], name="features")
    scaled = keras.layers.Normalization(mean=mean, variance=np.square(std), name="scaled")(features)
    if network.input_shape[1] is None:
        own_frames = FrameMask(name="own_frames")(features)
        scaled = keras.ops.where(keras.ops.expand_dims(own_frames, 2), scaled, 0.0)
    clip = keras.layers.Reshape((1, -1), name="clip")(read(scaled))
    return keras.Model(features, clip, name=name)


def side_by_side(read: "Sequence[keras.Model]") -> "keras.Model":
    """Several networks of `clip_features` as one, whose values follow each other. All read the same features.

    Their names must differ.
    """
    import keras

    if len(read) == 1:
        return read[0]
    features = keras.Input(read[0].input_shape[1:], name="features")
    values = keras.layers.Concatenate(name="clips")([one(features) for one in read])
    return keras.Model(features, values, name="clip_features")
