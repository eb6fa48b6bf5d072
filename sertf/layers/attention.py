"""Soft attention over time (Mirsamadi et al. 2017; ResLSTM-SA, equations 3 and 4)."""

import keras
from keras import ops


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

    def __init__(self, kernel_initializer="glorot_normal", **kwargs):
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
