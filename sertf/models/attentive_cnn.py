"""Residual CNN on a log mel spectrogram, whose channels attend over time.

Parts are known: residual blocks (He et al. 2016, arXiv:1512.03385), and a mean and a deviation over time weighted by an
attention of each channel (Desplanques et al. 2020, arXiv:2005.07143, without its context). Frames of zeros at the ends are
padding. They count nowhere: not in a convolution, nor in a norm's statistics, nor in the attention.
"""

import keras

from sertf.errors import SertfError
from sertf.layers import AttentiveStatistics, FrameMask, MaskedBatchNormalization
from sertf.layers.whisper_encoder import MeanAndDeviation
from sertf.models.options import Shape, checked
from sertf.models.output import softmax_scores

# Residual blocks: channels in widths, frames of a step, and how many steps are pooled behind it, of the bands always 2.
BLOCKS = ((1, 2, 2), (2, 4, 2), (4, 8, 1))

INNER_STATES = ("pool_2", "own_8")
"""Layers of the states behind the second block, and of which of them are no padding; see `sertf.models.clip_features`."""


@checked("Attentive CNN", least={"attention_units": 0})
def build(
    input_shape: Shape, num_classes: int, *, width: int = 12, attention_units: int = 64, dropout: float = 0.4
) -> keras.Model:
    """The attentive CNN as an uncompiled functional model.

    The layer named "embedding" gives the utterance's representation. "states" gives the states over time, one for 8
    frames, and "attention" the pair of statistics and weights over time.

    Args:
        input_shape: (frames, bands) of one utterance, frames None for any length; zero frames at the ends are padding.
        num_classes: number of emotions.
        width: channels of the first block.
        attention_units: hidden units of the attention; 0 weighs all steps the same.
        dropout: rate before the last layer.
    """
    if len(input_shape) != 2 or input_shape[1] is None:
        raise SertfError(f"Attentive CNN: input_shape must be (frames, bands), got {tuple(input_shape)}.")
    features = keras.Input(input_shape, name="features")
    own = {every: FrameMask(every, name=f"own_{every}")(features) for every in (2, 4, 8)}  # (batch, frames / every)
    x = keras.layers.Reshape((-1, input_shape[1], 1), name="image")(features)
    # Padded by hand: with "same", where the filter lies would depend on the length.
    x = keras.layers.ZeroPadding2D(2, name="stem_padding")(x)
    x = _convolution(width, 5, strides=2, padding="valid", name="stem")(x)
    x = _norm("stem")(x, own[2])
    x = keras.layers.ReLU(name="stem_relu")(x)  # (batch, frames / 2, bands / 2, width)
    for i, (widths, every, pooled) in enumerate(BLOCKS, start=1):
        x = _residual_block(x, own[every], widths * width, name=f"block_{i}")
        x = keras.layers.MaxPooling2D((pooled, 2), padding="same", name=f"pool_{i}")(x)
    x = keras.layers.Reshape((-1, x.shape[2] * x.shape[3]), name="steps")(
        x
    )  # (batch, frames / 8, bands / 16 · 4 width)
    states = keras.layers.Dense(BLOCKS[-1][0] * width, activation="relu", name="states")(x)
    if attention_units:
        x, _ = AttentiveStatistics(attention_units, name="attention")(states, x, own[8])  # (batch, 8 width)
    else:
        x = MeanAndDeviation(name="statistics")(states, own[8])
    x = keras.layers.BatchNormalization(epsilon=1e-5, name="embedding")(x)
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(features, softmax_scores(x, num_classes), name=f"attentive_cnn_w{width}")


def _residual_block(x, own, channels, *, name):
    shortcut = x
    if x.shape[-1] != channels:
        shortcut = _convolution(channels, 1, name=f"{name}_shortcut")(x)
    x = _norm(f"{name}_a")(_convolution(channels, 3, name=f"{name}_a")(x), own)
    x = keras.layers.ReLU(name=f"{name}_a_relu")(x)
    x = _norm(f"{name}_b")(_convolution(channels, 3, name=f"{name}_b")(x), own)
    return keras.layers.ReLU(name=f"{name}_relu")(keras.layers.Add(name=f"{name}_sum")([x, shortcut]))


def _convolution(channels, size, *, strides=1, padding="same", name):
    # PyTorch's initialization, which the recipe was found with.
    start = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
    return keras.layers.Conv2D(
        channels, size, strides=strides, padding=padding, use_bias=False, kernel_initializer=start, name=name
    )


def _norm(name):
    return MaskedBatchNormalization(epsilon=1e-5, name=f"{name}_norm")
