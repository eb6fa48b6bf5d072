"""Deformable speech attention: each query of each head attends to a window that it chooses itself (SERCT)."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from sertf.errors import SertfError, check_finite, check_whole, is_number

# What a score becomes outside its window: its weight is then 0, and even where a window holds no step at all.
OUTSIDE = -1e8
# The widest window that a half-width may start with, as a share of the steps: at 1 its sigmoid had no gradient.
WIDEST_START = 0.9


@keras.saving.register_keras_serializable("sertf")
class DeformableAttention(keras.layers.Layer):
    """Self-attention in learned windows (Chen et al. 2023, "DST"; SERCT, thesis of 2024, equations 4, 7 and 8).

    As in multi-head attention Q = X W^Q, K = X W^K and V = X W^V, cut into heads of d values. But query j of head i sees
    only the steps from L_ij to R_ij, equation 7: softmax(Q_i^j K_i[L_ij : R_ij]^T / √d) V_i[L_ij : R_ij]. The heads are
    concatenated and projected by W^O to the width of X, equation 8.

    The thesis prints no equation for the window; this is what the authors of DST compute. With T steps,

        anchor_ij = j + T · tanh(offset_i(Q^j))    half_ij = T · sigmoid(half_width_i(Q^j))
        L_ij = ⌊anchor_ij - half_ij⌋               R_ij = ⌈anchor_ij + half_ij⌉

    Here offset and half_width are linear in the whole projected query and have biases. At the start the kernels are 0: the
    anchors are the queries' own steps, and half-widths are spread over the heads.

    Whole bounds have no gradient, so the scores inside are multiplied by 1 + a - l - r. Here a is the linear
    interpolation of anchor_ij on the two steps around it. The terms l on step L_ij and r on step R_ij are the distances
    by which the bounds were rounded outwards. Offset and half-width learn through these factors. A window that misses
    all steps limits nothing: its query attends evenly to every step.

    Because of a, an open window still differs from multi-head attention at its anchor; with `anchor_gain` 0 it is the same.

    Args:
        heads: number of heads.
        head_units: values of a head, d.
        initial_half_widths: half-widths of the first and the last head at the start, in steps, the others evenly between
            them; at most 90 % of the steps. The default is DST's, windows of 50 ms to 1 s at 20 ms a step.
        anchor_gain: factor of a.
        dropout: rate of the attention weights.
        use_bias: add biases to Q, K, V and the output.

    Call arguments:
        states: (batch, steps, units); the number of steps is fixed.

    Returns:
        (batch, steps, units), the attention weights before dropout and the windows' ends. The weights are (batch, heads,
        queries, steps) float32. The ends anchor - half and anchor + half, in steps, are (batch, heads, queries, 2)
        float32. They may lie outside the sequence.

    Raises:
        SertfError: for an argument out of range or an unknown number of steps.
    """

    def __init__(
        self,
        heads: int = 8,
        head_units: int = 128,
        *,
        initial_half_widths: tuple[float, float] = (1.25, 25.0),
        anchor_gain: float = 1.0,
        dropout: float = 0.0,
        use_bias: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_whole("DeformableAttention", heads=heads, head_units=head_units)
        widths = initial_half_widths if isinstance(initial_half_widths, tuple | list) else ()
        if len(widths) != 2 or not all(is_number(width) and 0 < width < math.inf for width in widths):
            raise SertfError(
                f"DeformableAttention: initial_half_widths must be two numbers above 0, got {initial_half_widths!r}."
            )
        check_finite("DeformableAttention", anchor_gain=anchor_gain)
        self.heads = heads
        self.head_units = head_units
        self.initial_half_widths = tuple(float(width) for width in initial_half_widths)
        self.anchor_gain = float(anchor_gain)
        self.dropout = dropout
        self.use_bias = use_bias
        self.query, self.key, self.value = (
            keras.layers.Dense(heads * head_units, use_bias=use_bias, dtype=self.dtype_policy, name=name)
            for name in ("query", "key", "value")
        )
        # float32 under any policy: half precision could not tell one step from the next.
        self.offset = keras.layers.Dense(heads, kernel_initializer="zeros", dtype="float32", name="offset")
        self.weights_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy)

    def build(self, states_shape):
        _, steps, units = states_shape
        if steps is None or units is None:
            raise SertfError(
                f"DeformableAttention: states must be (batch, steps, units) of a fixed number of steps, got {states_shape}."
            )
        self._steps = steps
        widths = np.minimum(np.linspace(*self.initial_half_widths, self.heads) / steps, WIDEST_START)
        self.half_width = keras.layers.Dense(
            self.heads,
            kernel_initializer="zeros",
            bias_initializer=keras.initializers.Constant(np.log(widths / (1 - widths))),  # the sigmoid's inverse
            dtype="float32",
            name="half_width",
        )
        self.output_projection = keras.layers.Dense(
            units, use_bias=self.use_bias, dtype=self.dtype_policy, name="output"
        )
        for layer in (self.query, self.key, self.value):
            layer.build(states_shape)
        for layer in (self.offset, self.half_width, self.output_projection):
            layer.build((None, steps, self.heads * self.head_units))

    def call(self, states, training=None):
        query = self.query(states)  # (batch, steps, heads · head_units)
        anchor, half = self._windows(query)  # (batch, heads, queries) each
        q, k, v = (self._heads(x) for x in (query, self.key(states), self.value(states)))
        scores = ops.matmul(q / self.head_units**0.5, ops.transpose(k, (0, 1, 3, 2)))  # (batch, heads, queries, steps)
        scores = _windowed(ops.cast(scores, "float32"), anchor, half, gain=self.anchor_gain)
        weights = ops.softmax(scores, axis=-1)
        kept = self.weights_dropout(ops.cast(weights, v.dtype), training=training)
        heads = ops.transpose(ops.matmul(kept, v), (0, 2, 1, 3))  # (batch, steps, heads, head_units)
        joined = ops.reshape(heads, (-1, self._steps, self.heads * self.head_units))
        return self.output_projection(joined), weights, ops.stack([anchor - half, anchor + half], axis=-1)

    def _windows(self, query):
        """Anchors and half-widths in steps, (batch, heads, queries) each."""
        offset, half_width = (ops.transpose(layer(query), (0, 2, 1)) for layer in (self.offset, self.half_width))
        own = ops.arange(self._steps, dtype="float32")
        return own + self._steps * ops.tanh(offset), self._steps * ops.sigmoid(half_width)

    def _heads(self, x):
        split = ops.reshape(x, (-1, self._steps, self.heads, self.head_units))
        return ops.transpose(split, (0, 2, 1, 3))  # (batch, heads, steps, head_units)

    def compute_output_shape(self, states_shape):
        batch, steps, _ = states_shape
        return states_shape, (batch, self.heads, steps, steps), (batch, self.heads, steps, 2)

    def get_config(self):
        return {
            **super().get_config(),
            "heads": self.heads,
            "head_units": self.head_units,
            "initial_half_widths": self.initial_half_widths,
            "anchor_gain": self.anchor_gain,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
        }


def _windowed(scores, anchor, half, *, gain):
    """Scores (batch, heads, queries, steps) times their factors, and `OUTSIDE` beyond the windows.

    A whole step lies from ⌊anchor - half⌋ to ⌈anchor + half⌉ if its room, half + 1 - distance from the anchor, is above 0.
    Then 1 - l - r is the smaller of 1 and the room. The larger of 0 and 1 - distance is a.

    Arrays of this size are where the layer spends its time. Of the factors only those of four steps a query move with its
    window. So the gradient reads these four, where automatic differentiation would pass over all steps again and again.
    """
    steps = scores.shape[-1]

    @ops.custom_gradient
    def windowed(scores, anchor, half):
        distance = ops.abs(ops.arange(steps, dtype="float32") - anchor[..., None])
        room = (half + 1.0)[..., None] - distance
        factors = ops.minimum(room, 1.0)
        if gain:
            factors = factors + gain * ops.relu(1.0 - distance)
        inside = room > 0.0

        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            toward_anchor, toward_half = _window_gradients(upstream, scores, anchor, half, gain)
            return ops.where(inside, upstream * factors, 0.0), toward_anchor, toward_half

        return ops.where(inside, scores * factors, OUTSIDE), gradient

    return windowed(scores, anchor, half)


def _window_gradients(upstream, scores, anchor, half, gain):
    """Gradients of anchors and half-widths, (batch, heads, queries) each, from the steps whose factors depend on them."""
    bounds = [ops.floor(anchor - half), ops.ceil(anchor + half)]
    at = ops.stack([*bounds, ops.ceil(anchor) - 1.0, ops.floor(anchor) + 1.0], axis=-1)
    last = scores.shape[-1] - 1
    places = ops.cast(ops.clip(at, 0, last), "int32")
    moved = ops.take_along_axis(upstream, places, axis=-1) * ops.take_along_axis(scores, places, axis=-1)
    moved = ops.where((at >= 0.0) & (at <= last), moved, 0.0)  # (batch, heads, queries, 4)
    distance = ops.abs(at - anchor[..., None])
    room = (half + 1.0)[..., None] - distance
    at_bounds = ops.where((room > 0.0) & (room <= 1.0), moved, 0.0)[..., :2]
    at_anchor = gain * ops.where(distance <= 1.0, moved, 0.0)[..., 2:]
    sides = ops.sign(at - anchor[..., None])
    return ops.sum(ops.concatenate([at_bounds, at_anchor], axis=-1) * sides, axis=-1), ops.sum(at_bounds, axis=-1)
