"""CNN-Transformer: a residual CNN and a Transformer encoder side by side on a log mel spectrogram, joined by attention.

Wei, Ge, Su, Chen and Sun, "A deep learning model for speech emotion recognition on RAVDESS dataset", International
Journal of Advanced Computer Science and Applications 16 (2025). Figure 3 is the network, equations 1 to 10 its modules.

Where the paper leaves a choice: it prints neither channels nor pools of its four residual blocks. Channels of 16, 32, 64
and 64 with pools of 2, 4, 4 and 4 shrink its 128 bands to one and give 256 values. It names no positions in the
Transformer branch, so there are none. The norms stand behind the sums. Those of the convolutions have a momentum of
0.1 in PyTorch's sense, its defaults.
"""

from collections.abc import Sequence
from typing import Any

import keras

from sertf.errors import SertfError
from sertf.layers import CrossAttention, SpectrogramMasks
from sertf.models.options import Shape, checked
from sertf.models.output import softmax_scores

BRANCHES = ("both", "cnn", "transformer")
SIZES: dict[str, dict[str, Any]] = {
    "paper": {"channels": (16, 32, 64, 64), "layers": 4, "feed_forward": 512},
    "small": {"channels": (8, 16, 32, 64), "layers": 2, "feed_forward": 256},
}
"""What the sizes of `build` stand for; "small" is for a CPU."""
POOLS = (2, 4, 4, 4)
PADDINGS = ("valid", "same")
STEP_POOL = (2, 4)  # mel bands, frames
EPSILON = 1e-5


def residual_block(
    x: keras.KerasTensor, channels: int, *, pool: int, padding: str, dropout: float
) -> keras.KerasTensor:
    """Two normed convolutions and a 1×1 shortcut, equations 1 and 2; then max pooling and dropout."""
    inner = keras.layers.Conv2D(channels, 3, padding="same", use_bias=False)(x)
    inner = keras.layers.ReLU()(_batch_norm(inner))
    inner = _batch_norm(keras.layers.Conv2D(channels, 3, padding="same", use_bias=False)(inner))
    shortcut = x if x.shape[-1] == channels else keras.layers.Conv2D(channels, 1)(x)
    x = keras.layers.ReLU()(inner + shortcut)
    return keras.layers.Dropout(dropout)(keras.layers.MaxPooling2D(pool, padding=padding)(x))


def cnn_branch(
    image: keras.KerasTensor, channels: Sequence[int], pools: Sequence[int], *, padding: str, dropout: float
) -> keras.KerasTensor:
    """(batch, mels, frames, 1) to one vector, f_cnn."""
    x = image
    for width, pool in zip(channels, pools, strict=True):
        x = residual_block(x, width, pool=pool, padding=padding, dropout=dropout)
    return keras.layers.Flatten(name="f_cnn")(x)


def encoder_layer(x: keras.KerasTensor, *, heads: int, feed_forward: int, dropout: float) -> keras.KerasTensor:
    """Self-attention and a feed-forward network, equations 3 and 4, each added to its input and normed."""
    width = x.shape[-1]
    attended = keras.layers.MultiHeadAttention(heads, width // heads, dropout=dropout)(x, x)
    x = keras.layers.LayerNormalization(epsilon=EPSILON)(x + keras.layers.Dropout(dropout)(attended))
    inner = keras.layers.Dropout(dropout)(keras.layers.Dense(feed_forward, activation="relu")(x))
    outer = keras.layers.Dropout(dropout)(keras.layers.Dense(width)(inner))
    return keras.layers.LayerNormalization(epsilon=EPSILON)(x + outer)


def transformer_branch(
    image: keras.KerasTensor, *, layers: int, heads: int, feed_forward: int, dropout: float
) -> keras.KerasTensor:
    """(batch, mels, frames, 1) to (batch, frames / 4, mels / 2), f_transf."""
    x = keras.layers.MaxPooling2D(STEP_POOL)(image)
    x = keras.layers.Reshape(x.shape[1:3])(x)
    x = keras.layers.Permute((2, 1))(x)  # (batch, steps, values)
    for _ in range(layers):
        x = encoder_layer(x, heads=heads, feed_forward=feed_forward, dropout=dropout)
    return keras.layers.Identity(name="states")(x)


@checked("CNN-Transformer", least={"masks": 0}, forms={"masks": (2,), "channels": (None,)})
def build(
    input_shape: Shape,
    num_classes: int,
    *,
    branch: str = "both",
    size: str = "paper",
    channels: Sequence[int] | None = None,
    pools: Sequence[int] = POOLS,
    padding: str = "valid",
    layers: int | None = None,
    heads: int = 4,
    feed_forward: int | None = None,
    dropout: float = 0.4,
    masks: tuple[int, int] | None = None,
) -> keras.Model:
    """The CNN-Transformer as an uncompiled functional model.

    Args:
        input_shape: (frames, mels) of the log mel spectrogram.
        num_classes: number of emotions.
        branch: "both" joins the branches by cross-attention; "cnn" and "transformer" are each alone, the latter averaged
            over its steps.
        size: of `SIZES`.
        channels: of the residual blocks; None takes the size's, as for layers and feed_forward.
        pools: of the residual blocks, along mels and frames alike.
        padding: of the pools, one of `PADDINGS`. "valid" drops the frames that fill no pool: of 188 frames the CNN branch
            sees 128, of 563 it sees 512. "same" fills the last pool up and drops none.
        layers: of the Transformer.
        heads: of its self-attention; must divide half the mels.
        feed_forward: units inside its feed-forward networks.
        dropout: rate behind each block and in each encoder layer.
        masks: (mels, frames) of the widest `SpectrogramMasks` in training, two of each; None, as published, has none.

    Raises:
        SertfError: for an unknown branch or size, a shape that the pools shrink to nothing, or heads that do not divide.
    """
    if branch not in BRANCHES:
        raise SertfError(f"CNN-Transformer: branch must be one of {', '.join(BRANCHES)}, got {branch!r}.")
    if size not in SIZES:
        raise SertfError(f"CNN-Transformer: size must be one of {', '.join(SIZES)}, got {size!r}.")
    if padding not in PADDINGS:
        raise SertfError(f"CNN-Transformer: padding must be one of {', '.join(PADDINGS)}, got {padding!r}.")
    given = {"channels": channels, "layers": layers, "feed_forward": feed_forward}
    sizes = SIZES[size] | {name: value for name, value in given.items() if value is not None}
    channels = sizes["channels"]
    _check_shape(tuple(input_shape), tuple(channels), tuple(pools), padding, heads, branch)
    features = keras.Input(input_shape, name="features")
    seen = features if masks is None else SpectrogramMasks(*masks, name="masks")(features)
    image = keras.layers.Reshape((*input_shape, 1))(seen)
    image = keras.layers.Permute((2, 1, 3), name="image")(image)  # (batch, mels, frames, 1)
    parts = []
    if branch != "transformer":
        parts.append(cnn_branch(image, channels, pools, padding=padding, dropout=dropout))
    if branch != "cnn":
        states = transformer_branch(
            image, layers=sizes["layers"], heads=heads, feed_forward=sizes["feed_forward"], dropout=dropout
        )
        if parts:
            context, _ = CrossAttention(states.shape[-1], name="attention")(parts[0], states)
        else:
            context = keras.layers.GlobalAveragePooling1D()(states)
        parts.append(context)  # (batch, mels / 2), f_fused
    x = keras.layers.Concatenate()(parts) if len(parts) > 1 else parts[0]  # f_all
    x = keras.layers.Identity(name="embedding")(x)
    scores = softmax_scores(x, num_classes)
    return keras.Model(features, scores, name="cnn_transformer" if branch == "both" else f"cnn_transformer_{branch}")


def _batch_norm(x):
    return keras.layers.BatchNormalization(momentum=0.9, epsilon=EPSILON)(x)


def _check_shape(shape, channels, pools, padding, heads, branch):
    if len(shape) != 2 or None in shape:
        raise SertfError(f"CNN-Transformer: input_shape must be (frames, mels), both fixed, got {shape}.")
    frames, mels = shape
    if branch != "transformer":
        if len(channels) != len(pools):
            raise SertfError(
                f"CNN-Transformer: channels and pools must be of one length, got {len(channels)} and {len(pools)}."
            )
        for axis, size in (("mels", mels), ("frames", frames)):
            left = size
            for pool in pools:
                left //= pool
            if left < 1 and padding == "valid":
                raise SertfError(
                    f"CNN-Transformer: pools {pools} shrink the {size} {axis} to nothing; use smaller ones, or more {axis}."
                )
    if branch != "cnn":
        if mels < STEP_POOL[0] or frames < STEP_POOL[1]:
            raise SertfError(f"CNN-Transformer: input_shape must be at least (4 frames, 2 mels), got {shape}.")
        width = mels // STEP_POOL[0]
        if width % heads:
            raise SertfError(f"CNN-Transformer: heads must divide half the mels, {width}, got {heads}.")
