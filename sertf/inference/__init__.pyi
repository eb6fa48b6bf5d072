from .card import ModelError
from .recognizer import Recognizer

__all__ = [
    "ModelError",
    "Recognizer",
]
