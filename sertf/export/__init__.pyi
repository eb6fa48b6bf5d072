from . import litert, pretrained, saved_model
from .checkpoint import ExportError

__all__ = [
    "ExportError",
    "litert",
    "pretrained",
    "saved_model",
]
