"""The first convolution of a network on raw waveforms, normed over time, and the GELU, in few passes over large arrays."""

from typing import Any

import keras
import numpy as np
from keras import ops

from sertf.errors import check_whole


@keras.saving.register_keras_serializable("sertf")
class NormedConvolution(keras.layers.Layer):
    """A convolution without bias or padding, whose filters are each normed over all steps of a clip.

    It computes what Conv1D and then GroupNormalization of one filter a group compute (wav2vec 2.0's first layer; SERCT,
    thesis of 2024, section 4.3). A filter w has the mean m·w and the variance w·C·w over the steps, for the mean m and
    the covariance C of the frames. So the norm goes into each clip's own kernel, and no pass over all outputs is needed.

    Args:
        filters: number of filters.
        kernel_size: samples of a frame.
        strides: samples from one frame to the next.
        epsilon: added to the variance.

    Call arguments:
        waveform: (batch, samples, 1).

    Returns:
        (batch, steps, filters).

    Raises:
        SertfError: for an argument out of range.
    """

    def __init__(
        self, filters: int = 64, kernel_size: int = 10, *, strides: int = 5, epsilon: float = 1e-5, **kwargs: Any
    ):
        super().__init__(autocast=False, **kwargs)  # half precision would spoil the covariance
        check_whole("NormedConvolution", filters=filters, kernel_size=kernel_size, strides=strides)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.epsilon = epsilon
        self.kernel_initializer = keras.initializers.HeNormal()

    def build(self, waveform_shape):
        shapes = {"kernel": (self.kernel_size, 1, self.filters), "gamma": (self.filters,), "beta": (self.filters,)}
        initializers = (self.kernel_initializer, "ones", "zeros")
        self.kernel, self.gamma, self.beta = (
            self.add_weight(name=name, shape=shape, initializer=initializer, autocast=False)
            for (name, shape), initializer in zip(shapes.items(), initializers, strict=True)
        )

    def call(self, waveform):
        steps = self._steps(waveform.shape[1])
        behind = self.strides * (steps - 1) + 1
        samples = ops.cast(waveform[..., 0], "float32")
        frames = ops.stack([samples[:, i : i + behind : self.strides] for i in range(self.kernel_size)], axis=-1)
        centred = frames - ops.mean(frames, axis=1, keepdims=True)  # (batch, steps, kernel)
        covariance = ops.matmul(ops.transpose(centred, (0, 2, 1)), centred) / steps  # (batch, kernel, kernel)
        kernel = self.kernel[:, 0]
        variance = ops.sum(kernel * ops.matmul(covariance, kernel), axis=1, keepdims=True)  # (batch, 1, filters)
        gain = self.gamma * ops.rsqrt(ops.maximum(variance, 0.0) + self.epsilon)
        normed = kernel * gain  # (batch, kernel, filters)
        # The shift is one more sample of 1: an addition would be one more pass.
        kernels = ops.concatenate([normed, ops.broadcast_to(self.beta, ops.shape(normed[:, :1]))], axis=1)
        frames = ops.concatenate([centred, ops.ones_like(centred[..., :1])], axis=-1)
        return ops.matmul(ops.cast(frames, self.compute_dtype), ops.cast(kernels, self.compute_dtype))

    def _steps(self, samples):
        return (samples - self.kernel_size) // self.strides + 1

    def compute_output_shape(self, waveform_shape):
        batch, samples, _ = waveform_shape
        return batch, self._steps(samples), self.filters

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "epsilon": self.epsilon,
        }


@keras.saving.register_keras_serializable("sertf")
class Gelu(keras.layers.Layer):
    """x Φ(x) of the normal distribution's Φ, as Keras's "gelu"; its gradient Φ(x) + x φ(x) takes half the passes."""

    def call(self, inputs):
        return _gelu(inputs)

    def compute_output_shape(self, inputs_shape):
        return inputs_shape


@ops.custom_gradient
def _gelu(x):
    root = x * 0.5**0.5
    below = 0.5 + 0.5 * ops.erf(root)  # Φ

    def gradient(*args, upstream=None):
        upstream = args[0] if upstream is None else upstream
        return upstream * (below + root * np.pi**-0.5 * ops.exp(-ops.square(root)))

    return x * below, gradient
