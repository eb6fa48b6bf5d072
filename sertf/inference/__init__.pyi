from .recognizer import ModelError, Recognizer

__all__ = [
    "ModelError",
    "Recognizer",
]
