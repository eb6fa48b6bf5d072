from . import audit, fold_lists, zero_shot
from .folds import Fold, Protocol, ProtocolError
from .splits import PROTOCOLS, protocol

__all__ = [
    "PROTOCOLS",
    "Fold",
    "Protocol",
    "ProtocolError",
    "audit",
    "fold_lists",
    "protocol",
    "zero_shot",
]
