"""A learnt weighted sum of an encoder's blocks (Peters et al. 2018, arXiv:1802.05365; Yang et al. 2021, arXiv:2105.01051)."""

from typing import Any

import keras
from keras import ops

from sertf.errors import SertfError, check_whole


@keras.saving.register_keras_serializable("sertf")
class WeightedBlockSum(keras.layers.Layer):
    """Sum of blocks that stand side by side, each by a learnt share; the shares are a softmax and begin equal.

    Args:
        blocks: how many of the same width.

    Call arguments:
        inputs: (..., blocks · dims).

    Returns:
        (..., dims).

    Raises:
        SertfError: values that do not divide into so many blocks.
    """

    def __init__(self, blocks: int, **kwargs: Any):
        super().__init__(**kwargs)
        check_whole(type(self).__name__, blocks=blocks)
        self.blocks = blocks

    def build(self, inputs_shape):
        if inputs_shape[-1] % self.blocks:
            raise SertfError(
                f"{type(self).__name__}: {inputs_shape[-1]} values are not {self.blocks} blocks of one width."
            )
        self.logits = self.add_weight(name="logits", shape=(self.blocks,), initializer="zeros", trainable=True)

    def call(self, inputs):
        shares = ops.softmax(ops.cast(self.logits, inputs.dtype))
        parts = ops.split(inputs, self.blocks, axis=-1)
        return sum(shares[i] * part for i, part in enumerate(parts))

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:-1], inputs_shape[-1] // self.blocks)

    def get_config(self):
        return {**super().get_config(), "blocks": self.blocks}
