"""Positions for attention, which has none of its own."""

import keras


@keras.saving.register_keras_serializable("sertf")
class LearnedPositions(keras.layers.Layer):
    """Add a trained vector to each step of (batch, steps, units); the number of steps is fixed."""

    def build(self, inputs_shape):
        self.positions = self.add_weight(
            name="positions", shape=inputs_shape[1:], initializer=keras.initializers.RandomNormal(stddev=0.02)
        )

    def call(self, inputs):
        return inputs + self.positions

    def compute_output_shape(self, inputs_shape):
        return inputs_shape
