"""Keras layers of the zoo, written with `keras.ops` so that they run on the TensorFlow and the JAX backend."""

from sertf.layers.attention import SoftAttention

__all__ = ["SoftAttention"]
