"""Keras layers of the zoo, written with `keras.ops` so that they run on the TensorFlow and the JAX backend."""

from sertf.layers.attention import AttentiveStatistics, CrossAttention, MultiHeadAttention, SoftAttention
from sertf.layers.boltzmann import ClassificationRBM
from sertf.layers.capsules import CapsuleLength, CapsulePartition, CapsuleRouting
from sertf.layers.convolution import Gelu, NormedConvolution
from sertf.layers.deformable import DeformableAttention
from sertf.layers.leverage import LeverageTemperature
from sertf.layers.masks import CountedPadding, FrameMask, MaskedBatchNormalization, SpectrogramMasks
from sertf.layers.places import RandomPlace
from sertf.layers.positions import LearnedPositions, NoisePositions, SinusoidalPositions
from sertf.layers.reconstruction import ReconstructionError
from sertf.layers.reservoir import LiquidReservoir
from sertf.layers.weighted_sum import WeightedBlockSum

__all__ = [
    "AttentiveStatistics",
    "CapsuleLength",
    "CapsulePartition",
    "CapsuleRouting",
    "ClassificationRBM",
    "CountedPadding",
    "CrossAttention",
    "DeformableAttention",
    "FrameMask",
    "Gelu",
    "LearnedPositions",
    "LeverageTemperature",
    "LiquidReservoir",
    "MaskedBatchNormalization",
    "MultiHeadAttention",
    "NoisePositions",
    "NormedConvolution",
    "RandomPlace",
    "ReconstructionError",
    "SinusoidalPositions",
    "SoftAttention",
    "SpectrogramMasks",
    "WeightedBlockSum",
]
