from .card import ModelError
from .estimator import SpeechEmotionClassifier
from .keras_layer import RecognizerLayer
from .recognizer import Recognizer
from .speakers import SpeakerError, SpeakerStatistics

__all__ = [
    "ModelError",
    "Recognizer",
    "RecognizerLayer",
    "SpeakerError",
    "SpeakerStatistics",
    "SpeechEmotionClassifier",
]
