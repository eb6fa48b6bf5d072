"""ResLSTM-SA: an LSTM with a residual connection in front of an LSTM with soft attention.

Krasnoproshin and Vashkevich, "Speech Emotion Recognition using Attention-based LSTM-Network with Residual
Connection", arXiv:2606.03359 (2026). Figure 2 is the network, Table I its sizes.

The paper counts PyTorch's parameters, with two bias vectors an LSTM. Keras keeps one, so this network has 46,332
parameters and the paper's 46,772. The paper's 28.3 k and 91.6 k for LSTM-SA do not follow from its figure, which gives
29,384 and 91,528 (ours: 29,128 and 91,016). The paper does not describe its padding. Here padded frames (all zero)
count nowhere: not in the recurrences, the norm's statistics or the attention. On request they count as in the authors'
notebook.
"""

import keras

from sertf.layers import CountedPadding, FrameMask, SoftAttention
from sertf.models.options import Shape, checked
from sertf.models.output import softmax_scores


@checked("ResLSTM-SA")
def build(
    input_shape: Shape,
    num_classes: int,
    *,
    units: int = 64,
    residual: bool = True,
    dropout: float = 0.3,
    counted_padding: bool = False,
) -> keras.Model:
    """ResLSTM-SA (or LSTM-SA) as an uncompiled functional model.

    The layer named "embedding" gives the utterance's representation, "states" the attended states, and "attention"
    the pair of context and weights over time.

    Args:
        input_shape: (frames, dims) of one utterance, frames None for any length; zero frames are padding.
        num_classes: number of emotions.
        units: size of the attended LSTM, h in the paper: 32, 64 or 128.
        residual: False leaves out the first LSTM, its sum and its norm, which is the paper's LSTM-SA.
        dropout: rate before the last layer; the paper searched 0.1 to 0.5 and does not print its choice.
        counted_padding: padded frames count in the first norm's statistics, and as states of 0 in the attention's
            softmax, as in the authors' notebook. The recurrences stop at an utterance's end either way. An utterance's
            scores then depend on its padding.
    """
    features = keras.Input(input_shape, name="features")
    x = keras.layers.Masking(name="mask")(features)  # (batch, frames, dims)
    if residual:
        # As wide as the input, so that its states can be added to it (section III).
        context = _lstm(input_shape[-1], name="residual_states")(x)
        x = keras.layers.Add(name="residual")([x, context])
        if counted_padding:
            x = CountedPadding(name="counted_in_norm")(x)
        x = _batch_norm(name="residual_norm")(x)
    # The norm behind counted padding passes no mask on.
    own = FrameMask(name="own_frames")(features) if counted_padding else None
    states = _lstm(units, name="states")(x, mask=own)  # (batch, frames, units)
    x = CountedPadding(name="counted_in_attention")(states) if counted_padding else states
    x, _ = SoftAttention(name="attention")(x)  # (batch, units)
    x = _batch_norm(name="embedding")(x)
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    scores = softmax_scores(x, num_classes, kernel_initializer="glorot_normal")
    return keras.Model(features, scores, name=f"{'reslstm' if residual else 'lstm'}_sa_h{units}")


@checked("LSTM-SA")
def build_lstm_sa(
    input_shape: Shape, num_classes: int, *, units: int = 64, dropout: float = 0.3, counted_padding: bool = False
) -> keras.Model:
    """LSTM-SA, the baseline of Table I: ResLSTM-SA without its first LSTM."""
    return build(
        input_shape, num_classes, units=units, residual=False, dropout=dropout, counted_padding=counted_padding
    )


def _lstm(units, *, name):
    # Section IV-B: Xavier normal kernels, zero biases but the forget gate's, which is one.
    return keras.layers.LSTM(units, return_sequences=True, kernel_initializer="glorot_normal", name=name)


def _batch_norm(*, name):
    # PyTorch's constants, which the authors' code runs with.
    return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)
