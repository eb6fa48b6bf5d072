from . import audit, zero_shot
from .folds import Fold, Protocol, ProtocolError
from .splits import PROTOCOLS, protocol

__all__ = [
    "PROTOCOLS",
    "Fold",
    "Protocol",
    "ProtocolError",
    "audit",
    "protocol",
    "zero_shot",
]
