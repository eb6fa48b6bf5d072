"""Front ends: Keras layers, padded waveform batches in, features out. One file and one line below for each."""

from sertf.features.front_end import FrontEnd
from sertf.features.fused_statistics import FusedStatistics
from sertf.features.log_mel import LogMel
from sertf.features.mfcc_chroma import MfccChroma
from sertf.features.scalogram import Scalogram
from sertf.features.waveform import Waveform

FEATURES = {
    "mfcc_chroma": MfccChroma,
    "log_mel": LogMel,
    "fused_statistics": FusedStatistics,
    "scalogram": Scalogram,
    "waveform": Waveform,
}

__all__ = ["FEATURES", "FrontEnd", "FusedStatistics", "LogMel", "MfccChroma", "Scalogram", "Waveform"]
