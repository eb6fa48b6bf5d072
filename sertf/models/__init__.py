"""The zoo's models by name; each is a function `build(input_shape, num_classes, *, ...)` to an uncompiled Keras model."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sertf.models import (
    attentive_cnn,
    attentive_pooling,
    cnn_transformer,
    reslstm_sa,
    serct,
    speechnet,
    wavelet_cnn_lstm,
    whisper_blocks,
)
from sertf.models.baselines import BASELINES
from sertf.models.waveform_baselines import WAVEFORM_BASELINES

if TYPE_CHECKING:
    import keras

MODELS: dict[str, Callable[..., "keras.Model"]] = {
    "reslstm_sa": reslstm_sa.build,
    "lstm_sa": reslstm_sa.build_lstm_sa,
    "speechnet": speechnet.build,
    "cnn_transformer": cnn_transformer.build,
    "wavelet_cnn_lstm": wavelet_cnn_lstm.build,
    "serct": serct.build,
    "attentive_cnn": attentive_cnn.build,
    "attentive_pooling": attentive_pooling.build,
    "whisper_blocks": whisper_blocks.build,
    **BASELINES,
    **WAVEFORM_BASELINES,
}
