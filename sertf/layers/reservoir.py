"""A fixed recurrent network of spiking neurons."""

from typing import Any

import keras
from keras import ops

from sertf.errors import check_finite, check_whole


@keras.saving.register_keras_serializable("sertf")
class LiquidReservoir(keras.layers.Layer):
    """Spike counts of a random reservoir of leaky integrate-and-fire neurons (Maass, Natschläger and Markram 2002).

    The potential of a neuron is V_t = leak · V_{t-1} + x_t W_in + s_{t-1} W_rec; at 1 it fires, s_t = 1, and falls to 0.
    Nothing in it is trained; its weights are drawn once, by Keras's seed, and saved with the model.

    Args:
        neurons: number of neurons.
        leak: share of the potential that is left after a step.
        input_gain: deviation of the input weights, divided by the root of the number of inputs.
        recurrent_gain: deviation of the recurrent weights, divided by the root of the number of neurons.

    Call arguments:
        steps: (batch, steps, values).

    Returns:
        Spikes of each neuron over all steps, (batch, neurons).
    """

    def __init__(
        self,
        neurons: int = 256,
        *,
        leak: float = 0.9,
        input_gain: float = 1.0,
        recurrent_gain: float = 0.5,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_whole("LiquidReservoir", neurons=neurons)
        check_finite("LiquidReservoir", leak=leak, input_gain=input_gain, recurrent_gain=recurrent_gain)
        self.neurons = neurons
        self.leak = leak
        self.input_gain = input_gain
        self.recurrent_gain = recurrent_gain

    def build(self, steps_shape):
        shapes = {"input": (steps_shape[-1], self.input_gain), "recurrent": (self.neurons, self.recurrent_gain)}
        self.input_weights, self.recurrent_weights = (
            self.add_weight(
                name=name,
                shape=(inputs, self.neurons),
                initializer=keras.initializers.RandomNormal(stddev=gain / inputs**0.5),
                trainable=False,
            )
            for name, (inputs, gain) in shapes.items()
        )

    def call(self, steps):
        currents = ops.transpose(ops.matmul(steps, self.input_weights), (1, 0, 2))  # (steps, batch, neurons)

        def step(state, current):
            potential, spikes, total = state
            potential = self.leak * potential + current + ops.matmul(spikes, self.recurrent_weights)
            spikes = ops.cast(potential >= 1.0, potential.dtype)
            return (potential * (1.0 - spikes), spikes, total + spikes), None

        rest = ops.zeros_like(currents[0])
        (_, _, total), _ = ops.scan(step, (rest, rest, rest), currents)
        return total

    def compute_output_shape(self, steps_shape):
        return (steps_shape[0], self.neurons)

    def get_config(self):
        return {
            **super().get_config(),
            "neurons": self.neurons,
            "leak": self.leak,
            "input_gain": self.input_gain,
            "recurrent_gain": self.recurrent_gain,
        }
