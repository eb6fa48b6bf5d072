from .augmentation import Augmentation, RandomCut, WhiteNoise
from .files import AudioError, read_audio, resample

__all__ = [
    "Augmentation",
    "AudioError",
    "RandomCut",
    "WhiteNoise",
    "read_audio",
    "resample",
]
