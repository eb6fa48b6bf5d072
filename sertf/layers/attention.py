"""Attention: soft over time (ResLSTM-SA), multi-head (SpeechNet), of one query on a sequence (CNN-Transformer)."""

from typing import Any

import keras
from keras import ops

from sertf.errors import check_whole


@keras.saving.register_keras_serializable("sertf")
class SoftAttention(keras.layers.Layer):
    """Weighted sum of states, weighted by a softmax over time of one learned score a state.

    The score of state h_t is u·h_t without a bias (equation 4); masked steps get weight 0 and the others sum to 1.

    Call arguments:
        states: float tensor, (batch, steps, units).
        mask: boolean tensor, (batch, steps), True where a step counts; by default every step counts.

    Returns:
        context, (batch, units), and the attention weights, (batch, steps).
    """

    def __init__(self, kernel_initializer: Any = "glorot_normal", **kwargs: Any):
        super().__init__(**kwargs)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, states_shape):
        self.kernel = self.add_weight(
            name="kernel", shape=(states_shape[-1], 1), initializer=self.kernel_initializer, trainable=True
        )

    def call(self, states, mask=None):
        scores = ops.squeeze(ops.matmul(states, self.kernel), axis=-1)  # (batch, steps)
        if mask is not None:
            scores = ops.where(mask, scores, ops.full_like(scores, -1e9))
        weights = ops.softmax(scores, axis=-1)
        if mask is not None:
            # A row without a single valid step would otherwise attend evenly to padding.
            weights = ops.where(mask, weights, ops.zeros_like(weights))
        context = ops.einsum("bt,btu->bu", weights, states)
        return context, weights

    def compute_mask(self, states, mask=None):
        return None, None

    def compute_output_shape(self, states_shape):
        return (states_shape[0], states_shape[-1]), (states_shape[0], states_shape[1])

    def get_config(self):
        return {
            **super().get_config(),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }


@keras.saving.register_keras_serializable("sertf")
class MultiHeadAttention(keras.layers.Layer):
    """Multi-head attention whose heads are concatenated and not projected again (SpeechNet, equation 9).

    head_i = softmax(q_i k_iᵀ / √d_k) v_i with q_i = W_qᵢ q, k_i = W_kᵢ k, v_i = W_vᵢ v, without biases.

    Args:
        heads: number of heads.
        head_units: values of a head, d_k.

    Call arguments:
        query, key, value: (batch, steps, units) each.

    Returns:
        (batch, steps, heads · head_units), and the attention weights, (batch, heads, steps, steps).
    """

    def __init__(self, heads: int = 8, head_units: int = 32, **kwargs: Any):
        super().__init__(**kwargs)
        check_whole(type(self).__name__, heads=heads, head_units=head_units)
        self.heads = heads
        self.head_units = head_units

    def build(self, query_shape, key_shape, value_shape):
        width = self.heads * self.head_units
        shapes = {"query": query_shape, "key": key_shape, "value": value_shape}
        self.kernels = [
            self.add_weight(name=name, shape=(shape[-1], width), initializer="glorot_uniform")
            for name, shape in shapes.items()
        ]

    def call(self, query, key, value):
        q, k, v = (self._heads(x, kernel) for x, kernel in zip((query, key, value), self.kernels))
        scores = ops.matmul(q / self.head_units**0.5, ops.transpose(k, (0, 1, 3, 2)))  # (batch, heads, steps, steps)
        weights = ops.softmax(scores, axis=-1)
        heads = ops.transpose(ops.matmul(weights, v), (0, 2, 1, 3))  # (batch, steps, heads, head_units)
        return ops.reshape(heads, (-1, ops.shape(query)[1], self.heads * self.head_units)), weights

    def _heads(self, x, kernel):
        # One product over all steps of the batch: TensorFlow would hold a gradient of the kernel for every utterance.
        projected = ops.matmul(ops.reshape(x, (-1, x.shape[-1])), kernel)
        split = ops.reshape(projected, (-1, ops.shape(x)[1], self.heads, self.head_units))
        return ops.transpose(split, (0, 2, 1, 3))  # (batch, heads, steps, head_units)

    def compute_output_shape(self, query_shape, key_shape, value_shape):
        batch, steps, _ = query_shape
        return (batch, steps, self.heads * self.head_units), (batch, self.heads, steps, key_shape[1])

    def get_config(self):
        return {**super().get_config(), "heads": self.heads, "head_units": self.head_units}


@keras.saving.register_keras_serializable("sertf")
class CrossAttention(keras.layers.Layer):
    """One vector attends to a sequence (CNN-Transformer, IJACSA 2025, equations 5 to 9).

    α = softmax(Q Kᵀ / √d) with Q = W_Q · query, K = W_K · steps, V = W_V · steps; the result is α V.

    Args:
        units: values of query, key and value, d.

    Call arguments:
        query: (batch, values).
        steps: (batch, steps, values).

    Returns:
        context, (batch, units), and the attention weights α, (batch, steps).
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        check_whole(type(self).__name__, units=units)
        self.units = units
        self.query_projection = keras.layers.Dense(units, use_bias=False, name="query")
        self.key_projection = keras.layers.Dense(units, use_bias=False, name="key")
        self.value_projection = keras.layers.Dense(units, use_bias=False, name="value")

    def build(self, query_shape, steps_shape):
        self.query_projection.build(query_shape)
        self.key_projection.build(steps_shape)
        self.value_projection.build(steps_shape)

    def call(self, query, steps):
        q = self.query_projection(query) / self.units**0.5  # (batch, units)
        weights = ops.softmax(ops.einsum("bu,btu->bt", q, self.key_projection(steps)), axis=-1)
        return ops.einsum("bt,btu->bu", weights, self.value_projection(steps)), weights

    def compute_output_shape(self, query_shape, steps_shape):
        return (query_shape[0], self.units), tuple(steps_shape[:2])

    def get_config(self):
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("sertf")
class AttentiveStatistics(keras.layers.Layer):
    """Mean and deviation of states over time, each channel weighted by an attention of its own.

    e = V tanh(W s + b) + c for the steps s; a softmax over time gives the weights of each channel (Okabe et al. 2018,
    arXiv:1803.10963, with one attention a channel as in Desplanques et al. 2020, arXiv:2005.07143).

    Args:
        units: of the hidden layer, rows of W.

    Call arguments:
        states: (batch, steps, channels), what is averaged.
        scored: (batch, steps, values), what the attention is computed from.
        own: (batch, steps) booleans; the other steps get weight 0.

    Returns:
        Means and deviations, (batch, 2 · channels), and the weights averaged over channels, (batch, steps).
    """

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(**kwargs)
        check_whole(type(self).__name__, units=units)
        self.units = units
        self.hidden = keras.layers.Dense(units, activation="tanh", name="hidden")

    def build(self, states_shape, scored_shape, own_shape):
        self.hidden.build(scored_shape)
        self.channels = keras.layers.Dense(states_shape[-1], name="channels")
        self.channels.build((*scored_shape[:-1], self.units))

    def call(self, states, scored, own):
        own = own[:, :, None]
        scores = self.channels(self.hidden(scored))  # (batch, steps, channels)
        weights = ops.softmax(ops.where(own, scores, ops.full_like(scores, -1e9)), axis=1)
        # A row without a single own step would otherwise attend evenly to padding.
        weights = ops.where(own, weights, ops.zeros_like(weights))
        mean = ops.sum(weights * states, axis=1)
        variance = ops.sum(weights * ops.square(states - mean[:, None]), axis=1)
        deviation = ops.sqrt(ops.maximum(variance, 1e-5))  # a root of 0 has no gradient
        return ops.concatenate([mean, deviation], axis=-1), ops.mean(weights, axis=-1)

    def compute_output_shape(self, states_shape, scored_shape, own_shape):
        return (states_shape[0], 2 * states_shape[-1]), tuple(states_shape[:2])

    def get_config(self):
        return {**super().get_config(), "units": self.units}
