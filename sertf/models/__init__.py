"""The zoo's models by name; each is a function `build(input_shape, num_classes, *, ...)` to an uncompiled Keras model."""

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sertf.custom import models as custom_models
from sertf.custom.code import is_custom
from sertf.errors import SertfError, unknown
from sertf.models import classical, cnn_transformer, reslstm_sa, serct, speechnet, wavelet_cnn_lstm
from sertf.models.baselines import BASELINES
from sertf.models.classical import CLASSICAL
from sertf.models.options import check_names
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
    **BASELINES,
    **WAVEFORM_BASELINES,
}


def find(model: str) -> Callable[..., "keras.Model"]:
    """The builder of a name in `MODELS`, or of one that `sertf.custom.models` imports."""
    return custom_models.find(model) if is_custom(model) else MODELS[model]


def takes(model: str, option: str) -> bool:
    """Whether the builder of a network takes an option."""
    if is_custom(model):
        return custom_models.takes(model, option)
    return option in inspect.signature(MODELS[model]).parameters


def check_options(model: str, options: Mapping[str, Any]) -> None:
    """Raise SertfError for a model that is in neither `MODELS` nor `CLASSICAL`, nor of the user's own, or for its options.

    They are refused where it does not take them, or not such values.
    """
    if is_custom(model):
        custom_models.check_options(model, options)
        return
    if model not in MODELS | CLASSICAL:
        raise SertfError(unknown("model", model, MODELS | CLASSICAL))
    check_names(model, (MODELS | CLASSICAL)[model], options)
    if model in MODELS:
        builder: Any = MODELS[model]  # `sertf.models.options.checked` gives it the function
        builder.check_values(options)
    else:
        classical.check_values(model, options)
