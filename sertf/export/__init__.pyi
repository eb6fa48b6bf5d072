from . import litert, saved_model
from .checkpoint import ExportError

__all__ = [
    "ExportError",
    "litert",
    "saved_model",
]
