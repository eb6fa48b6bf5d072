"""Attentive statistics pooling on features over time, such as the outputs of a frozen pretrained encoder.

One dense layer makes states of the frames. Their mean and deviation over time are weighted by an attention of each state
(Okabe et al. 2018, arXiv:1803.10963, with one attention a channel as in Desplanques et al. 2020, arXiv:2005.07143). Frames
of zeros at the ends are padding and count nowhere.
"""

import keras

from sertf.errors import SertfError
from sertf.layers import AttentiveStatistics, FrameMask, WeightedBlockSum
from sertf.models.linear import CLIP
from sertf.models.options import Shape, checked
from sertf.models.output import softmax_scores


@checked("Attentive pooling", least={"summed_blocks": 1})
def build(
    input_shape: Shape,
    num_classes: int,
    *,
    units: int = 128,
    attention_units: int = 64,
    input_dropout: float = 0.2,
    dropout: float = 0.4,
    summed_blocks: int = 1,
) -> keras.Model:
    """The pooling and a dense layer as an uncompiled functional model.

    The layer named "embedding" gives the utterance's representation. "states" gives the states over time, and "attention"
    the pair of statistics and weights over time.

    Args:
        input_shape: (frames, dims) of one utterance, frames None for any length; zero frames at the ends are padding.
        num_classes: number of emotions.
        units: states of a frame.
        attention_units: hidden units of the attention.
        input_dropout: rate of the features, each dropped from all frames of an utterance together.
        dropout: rate before the last layer.
        summed_blocks: how many blocks of one width stand side by side in the features, to be summed by learnt shares; 1
            sums nothing.

    Raises:
        SertfError: features whose dims are unknown, or that many blocks cannot share evenly.
    """
    if len(input_shape) != 2 or input_shape[1] is None:
        raise SertfError(f"Attentive pooling: input_shape must be (frames, dims), got {tuple(input_shape)}.")
    features = keras.Input(input_shape, name="features")
    own = FrameMask(name="own")(features)
    x = keras.ops.clip(features, -CLIP, CLIP)  # standardised; few values lie beyond
    if summed_blocks > 1:
        x = WeightedBlockSum(summed_blocks, name="summed")(x)
    x = keras.layers.SpatialDropout1D(input_dropout, name="input_dropout")(x)
    states = keras.layers.Dense(units, activation="relu", name="states")(x)
    x, _ = AttentiveStatistics(attention_units, name="attention")(states, x, own)  # (batch, 2 units)
    x = keras.layers.BatchNormalization(epsilon=1e-5, name="embedding")(x)
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    return keras.Model(features, softmax_scores(x, num_classes), name=f"attentive_pooling_{units}")
