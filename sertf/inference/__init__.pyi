from .card import ModelError
from .recognizer import Recognizer
from .speakers import SpeakerError, SpeakerStatistics

__all__ = [
    "ModelError",
    "Recognizer",
    "SpeakerError",
    "SpeakerStatistics",
]
