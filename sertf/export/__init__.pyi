from . import litert, onnx, saved_model
from .checkpoint import ExportError

__all__ = [
    "ExportError",
    "litert",
    "onnx",
    "saved_model",
]
