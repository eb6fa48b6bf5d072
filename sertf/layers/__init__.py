"""Keras layers of the zoo, written with `keras.ops` so that they run on the TensorFlow and the JAX backend."""

from sertf.layers.attention import CrossAttention, MultiHeadAttention, SoftAttention
from sertf.layers.boltzmann import ClassificationRBM
from sertf.layers.capsules import CapsuleLength, CapsulePartition, CapsuleRouting
from sertf.layers.positions import LearnedPositions
from sertf.layers.reconstruction import ReconstructionError
from sertf.layers.reservoir import LiquidReservoir

__all__ = [
    "CapsuleLength",
    "CapsulePartition",
    "CapsuleRouting",
    "ClassificationRBM",
    "CrossAttention",
    "LearnedPositions",
    "LiquidReservoir",
    "MultiHeadAttention",
    "ReconstructionError",
    "SoftAttention",
]
