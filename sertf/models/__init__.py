"""The zoo's models by name; each is a function `build(input_shape, num_classes, *, ...)` to an uncompiled Keras model."""

from sertf.errors import SertfError, unknown
from sertf.models import cnn_transformer, reslstm_sa, serct, speechnet, wavelet_cnn_lstm
from sertf.models.baselines import BASELINES
from sertf.models.classical import CLASSICAL
from sertf.models.options import check_names
from sertf.models.waveform_baselines import WAVEFORM_BASELINES

MODELS = {
    "reslstm_sa": reslstm_sa.build,
    "lstm_sa": reslstm_sa.build_lstm_sa,
    "speechnet": speechnet.build,
    "cnn_transformer": cnn_transformer.build,
    "wavelet_cnn_lstm": wavelet_cnn_lstm.build,
    "serct": serct.build,
    **BASELINES,
    **WAVEFORM_BASELINES,
}


def check_options(model, options):
    """Raise SertfError for an unknown model, of these or `sertf.models.classical`, or for options it does not take so."""
    if model not in MODELS | CLASSICAL:
        raise SertfError(unknown("model", model, MODELS | CLASSICAL))
    check_names(model, (MODELS | CLASSICAL)[model], options)
    if model in MODELS:
        MODELS[model].check_values(options)
