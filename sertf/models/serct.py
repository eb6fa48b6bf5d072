"""SERCT: a CNN on the raw waveform, and a transformer with deformable speech attention on the CNN's output.

Zheng, "SERCT: End-to-End Speech Emotion Recognition based on CNN-Transformer", master's thesis, University of Groningen
(2024). Figure 1 is the network, sections 4.3, 4.4 and 5.3 describe its modules, Table 5 its ablations.

Where the thesis leaves a choice: its text counts six convolutions, its code has seven. The code pads by a zero at both
ends before the last one, which gives the 450 steps of the transformer. The text has 5x5 filters under the title
"10x10"; the code has 10. The thesis prints no sizes of the head's dense layers. In the code they have half and a quarter
of the width, and their outputs are averaged over the steps. Here the average comes before the last one, which is
linear. The code also norms the transformer's input, and so does this network. The code has biases in attention and
feed-forward network that the text excludes, and noise of ±0.045 for positions; here both are arguments. The code starts
Q, K and V as one matrix, whose weights are 0.71 of those here. Padding is not masked, as in the code. The thesis does not describe its network without
the CNN. Here the waveform is cut into pieces of as many samples as a step of the CNN has, each projected. Without the
transformer, Table 5 prints the scores of the CNN baseline; here it is the CNN of this network under the same head.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras

from sertf.errors import SertfError
from sertf.layers import DeformableAttention, Gelu, NoisePositions, NormedConvolution, SinusoidalPositions
from sertf.models.options import Shape, checked
from sertf.models.output import softmax_scores

ATTENTIONS = ("deformable", "vanilla")
POSITIONS = {"sinusoidal": SinusoidalPositions, "noise": NoisePositions}
"""Positions as the thesis has them, and as its code has them."""
ABLATIONS = {
    "cnn": "pieces of the waveform are projected",
    "transformer": "the head takes the CNN's projected steps",
}
"""What replaces a module, by the module that is left out (Table 5)."""


def rows_of(filters: int) -> tuple[tuple[int, int, int], ...]:
    """(filters, kernel, stride) of seven convolutions that make a step of 320 samples."""
    return ((filters, 10, 5), *[(filters, 3, 2)] * 4, *[(filters, 2, 2)] * 2)


SIZES: dict[str, dict[str, Any]] = {
    "paper": {"convolutions": rows_of(512), "width": 1024, "feed_forward": 512},
    "narrow": {"convolutions": rows_of(64), "width": 128, "feed_forward": 64},
}
"""What the sizes of `build` stand for; "narrow" is an eighth of the paper's, for a CPU."""
EPSILON = 1e-5


def convolve(x: keras.KerasTensor, rows: Sequence[tuple[int, int, int]]) -> keras.KerasTensor:
    """Section 4.3: convolutions without bias, each with a GELU, a group norm in the first, a layer norm at the end."""
    for i, (filters, kernel, stride) in enumerate(rows):
        if i == len(rows) - 1:
            x = keras.layers.ZeroPadding1D(1)(x)
        if i == 0:
            x = NormedConvolution(filters, kernel, strides=stride, epsilon=EPSILON)(x)  # each filter over all steps
        else:
            x = keras.layers.Conv1D(filters, kernel, strides=stride, use_bias=False, kernel_initializer="he_normal")(x)
        x = Gelu()(x)  # equation 2
    return _layer_norm(x)  # (batch, steps, filters)


def attend(
    x: keras.KerasTensor, *, attention: str, heads: int, use_bias: bool, dropout: float, name: str
) -> keras.KerasTensor:
    """Self-attention that keeps the shape: equations 7 and 8, or 4 to 6 for the vanilla one."""
    options: dict[str, Any] = {"use_bias": use_bias, "dropout": dropout, "name": name}
    if attention == "vanilla":
        return keras.layers.MultiHeadAttention(heads, x.shape[-1] // heads, **options)(x, x)
    states, _, _ = DeformableAttention(heads, x.shape[-1] // heads, **options)(x)
    return states


def encoder_layer(
    x: keras.KerasTensor, *, feed_forward: int, use_bias: bool, dropout: float, **attention: Any
) -> keras.KerasTensor:
    """Attention and a feed-forward network, each added to its input and normed behind the sum."""
    attended = attend(x, use_bias=use_bias, dropout=dropout, **attention)
    x = _layer_norm(x + keras.layers.Dropout(dropout)(attended))
    inner = keras.layers.Dense(feed_forward, activation="relu", use_bias=use_bias)(x)
    outer = keras.layers.Dense(x.shape[-1], use_bias=use_bias)(keras.layers.Dropout(dropout)(inner))
    return _layer_norm(x + keras.layers.Dropout(dropout)(outer))


def transform(x: keras.KerasTensor, *, layers: int, positions: str, **options: Any) -> keras.KerasTensor:
    """Section 4.4: encoder layers on (batch, steps, width) with positions."""
    x = POSITIONS[positions]()(_layer_norm(x))
    for i in range(layers):
        x = encoder_layer(x, name=f"attention_{i + 1}", **options)
    return x


def classify(x: keras.KerasTensor, num_classes: int, *, dropout: float) -> keras.KerasTensor:
    """Dense layers on each step, average over the steps, softmax."""
    width = x.shape[-1]
    for units in (width // 2, width // 4):
        x = keras.layers.Dropout(dropout)(keras.layers.Dense(units, activation="relu")(x))
    x = keras.layers.GlobalAveragePooling1D(name="embedding")(x)
    return softmax_scores(x, num_classes)


@checked("SERCT", forms={"convolutions": (None, 3)})
def build(
    input_shape: Shape,
    num_classes: int,
    *,
    size: str = "paper",
    convolutions: Sequence[tuple[int, int, int]] | None = None,
    width: int | None = None,
    feed_forward: int | None = None,
    layers: int = 4,
    attention: str = "deformable",
    heads: int = 8,
    without: str | None = None,
    use_bias: bool = False,
    positions: str = "sinusoidal",
    dropout: float = 0.1,
) -> keras.Model:
    """SERCT as an uncompiled functional model.

    A layer attention_i of deformable attention gives states, weights and windows: `get_layer("attention_1").output`.

    Args:
        input_shape: (samples, 1) of the waveform.
        num_classes: number of emotions.
        size: of `SIZES`.
        convolutions: (filters, kernel, stride) of each convolution; None takes the size's, as for the next two.
        width: of the transformer; half and a quarter of it in the head.
        feed_forward: units inside the feed-forward networks.
        layers: of the transformer.
        attention: "deformable", or "vanilla" for ordinary multi-head attention.
        heads: of the attention; must divide the width.
        without: module to leave out, one of `ABLATIONS`; None builds both.
        use_bias: add biases to attention and feed-forward networks.
        positions: "sinusoidal", or the code's "noise", which its initialisation puts in their place.
        dropout: rate in the transformer and the head; the CNN has none.

    Raises:
        SertfError: for an argument out of range, or a waveform that the convolutions shrink to nothing.
    """
    if size not in SIZES:
        raise SertfError(f"SERCT: size must be one of {', '.join(SIZES)}, got {size!r}.")
    given = {"convolutions": convolutions, "width": width, "feed_forward": feed_forward}
    sizes = SIZES[size] | {name: value for name, value in given.items() if value is not None}
    rows, width = tuple(tuple(row) for row in sizes["convolutions"]), sizes["width"]
    _check(tuple(input_shape), rows, width, layers, attention, heads, without)
    if positions not in POSITIONS:
        raise SertfError(f"SERCT: positions must be one of {', '.join(POSITIONS)}, got {positions!r}.")
    waveform = keras.Input(input_shape, name="features")
    if without == "cnn":
        piece = math.prod(stride for _, _, stride in rows)
        x = keras.layers.Conv1D(width, piece, strides=piece, name="projection")(waveform)
    else:
        x = keras.layers.Dense(width, name="projection")(convolve(waveform, rows))
    if without != "transformer":
        x = transform(
            x,
            layers=layers,
            attention=attention,
            heads=heads,
            feed_forward=sizes["feed_forward"],
            use_bias=use_bias,
            positions=positions,
            dropout=dropout,
        )
    scores = classify(x, num_classes, dropout=dropout)
    return keras.Model(waveform, scores, name="serct" if without is None else f"serct_without_{without}")


def steps_of(samples: int, rows: Sequence[tuple[int, int, int]]) -> int:
    """Steps that convolutions of (filters, kernel, stride) leave of a waveform, the last padded by a zero at both ends."""
    for i, (_, kernel, stride) in enumerate(rows):
        padded = samples + 2 * (i == len(rows) - 1)
        if samples < 1 or padded < kernel:
            return 0
        samples = (padded - kernel) // stride + 1
    return samples


def _layer_norm(x):
    return keras.layers.LayerNormalization(epsilon=EPSILON)(x)


def _check(shape, rows, width, layers, attention, heads, without):
    if len(shape) != 2 or shape[0] is None or shape[1] != 1:
        raise SertfError(f"SERCT: input_shape must be (samples, 1) of a fixed number of samples, got {shape}.")
    if width < 4:
        raise SertfError(f"SERCT: width must be 4 or more, since the head has a quarter of it, got {width}.")
    if width % heads:
        raise SertfError(f"SERCT: heads must divide the width, {width}, got {heads}.")
    if attention not in ATTENTIONS:
        raise SertfError(f"SERCT: attention must be one of {', '.join(ATTENTIONS)}, got {attention!r}.")
    if without is not None and without not in ABLATIONS:
        raise SertfError(f"SERCT: without must be one of {', '.join(ABLATIONS)}, or None, got {without!r}.")
    piece = math.prod(stride for _, _, stride in rows)
    if (shape[0] // piece if without == "cnn" else steps_of(shape[0], rows)) < 1:
        raise SertfError(f"SERCT: a waveform of {shape[0]} samples is shorter than one step; give it more samples.")
