"""SpeechNet: encoding, LSTM, pre-attention, convolution and capsules with a modified routing.

Zhang, Pang, Zhao, Tang, Shen and Wang, "Pre-attentive speech signal processing with adaptive routing for emotion
recognition", Biomedical Signal Processing and Control (2025), doi:10.1016/j.bspc.2025.108782. Figure 1 is the network,
equations 7 to 14 its modules, Table 2 its ablations.

Where the paper leaves a choice: it feeds one vector of 107 values to an LSTM of 64 steps. Either the 128 encoded values
are read as 64 steps of 2, or the 64 steps are segments of the utterance, encoded one by one. The input's shape selects
one of them. Of the sizes the text prints n_1 to n_3 and d alone. The others are ours: n_q = 64, 8 heads of 32, a kernel
of k = 3, and n_4 = 1024 refinement filters. With these the network has 8.0 of the paper's "~8.3 million" parameters. It
then needs over 60 million multiplications, where the paper has "approximately 9.5 million FLOPs". So the paper's two
figures belong to two networks, or its sizes are others.

Equation 10 prints a filter as k x 1. Here it is k x 256, over all values of a step, and has a bias: 49 of the 64 million
multiplications. Pre-attention's layers have biases too, which equation 9 does not print. The paper does not give the
place of its dropout of 0.5; here it stands before the routing.

The paper does not say how class capsules become scores. Its Table 3 gives back how many scores lie above 0.5: recall
times utterances, over precision. In all 60 runs there are never more than utterances, so these scores sum to 1. Two
readings are built. "softmax" puts a dense softmax on the class capsules, which are not squashed, as equation 14 is a plain
sum. "lengths" takes the lengths of squashed class capsules, each from 0 to 1, as Sabour et al. (2017) do.
"""

import keras

from sertf.errors import SertfError
from sertf.layers import CapsuleLength, CapsulePartition, CapsuleRouting, MultiHeadAttention
from sertf.models.options import Shape, checked
from sertf.models.output import softmax_scores

STEPS = 64  # n_3, the cells and steps of the LSTM
ABLATIONS = {
    "encoding": "the descriptors themselves are the steps; one vector of n values is read as n steps of 1",
    "recall": "the encoded steps go to the attention without a recurrence",
    "pre_attention": "the multi-head attention takes the states as query, key and value",
    "attention": "no attention at all; the refinement takes the states",
    "refinement": "the routing takes the attention's output",
    "routing": "a dense softmax layer on all refined values",
    "modified_routing": "the routing of Sabour et al. (2017)",
}
"""What replaces a module, by the module that is left out (Table 2)."""
SCORES = ("lengths", "softmax")


def encode(x: keras.KerasTensor, *, encoded: bool) -> keras.KerasTensor:
    """Information encoding, equation 7; one vector becomes 64 steps of 2 values."""
    if encoded:
        for units in (256, 128):  # n_1, n_2
            x = keras.layers.LeakyReLU()(keras.layers.Dense(units)(x))
        return keras.layers.Reshape((STEPS, -1), name="steps")(x) if x.shape[1] == 1 else x
    return keras.layers.Permute((2, 1), name="steps")(x) if x.shape[1] == 1 else x


def attend(x: keras.KerasTensor, *, pre_attention: bool) -> keras.KerasTensor:
    """Speech attention, equation 9: parallel layers give query, key and value to 8 heads of 32."""
    parts = ("query", "key", "value")
    if pre_attention:
        parts = [keras.layers.Dense(64, name=f"pre_{part}")(x) for part in parts]  # n_q
    else:
        parts = [x for _ in parts]
    output, _ = MultiHeadAttention(8, 32, name="heads")(*parts)
    return output  # (batch, steps, 256)


def route(
    x: keras.KerasTensor, num_classes: int, *, dimension: int, iterations: int, mode: str, squashed: bool
) -> keras.KerasTensor:
    """Speech routing, equations 12 to 14: blocks of 16 values to one capsule a class, (batch, classes * dimension)."""
    x = CapsulePartition(dimension, name="capsules")(x)
    routing = CapsuleRouting(
        num_classes, dimension=dimension, iterations=iterations, mode=mode, squashed=squashed, name="routing"
    )
    return keras.layers.Flatten(name="embedding")(routing(x))


@checked("SpeechNet")
def build(
    input_shape: Shape,
    num_classes: int,
    *,
    refinement_filters: int = 1024,
    without: str | None = None,
    dropout: float = 0.5,
    iterations: int = 2,
    dimension: int = 16,
    scores: str = "lengths",
) -> keras.Model:
    """SpeechNet as an uncompiled functional model.

    Args:
        input_shape: (1, dims) for one vector an utterance, (segments, dims) for a sequence of 3 segments or more.
        num_classes: number of emotions.
        refinement_filters: filters of the convolution, n_4: 1024 for the paper's size, 64 for a small one.
        without: module to leave out, one of `ABLATIONS`; None builds all.
        dropout: rate before the routing.
        iterations: of the routing.
        dimension: values of a capsule, d.
        scores: what class capsules become, one of `SCORES`; without routing there are none, and scores are a softmax.
    """
    if without is not None and not (isinstance(without, str) and without in ABLATIONS):
        raise SertfError(f"SpeechNet: without must be one of {', '.join(ABLATIONS)}, or None, got {without!r}.")
    if len(input_shape) != 2 or None in tuple(input_shape) or input_shape[0] == 2:
        raise SertfError(
            f"SpeechNet: input_shape must be (1, dims) or (3 or more segments, dims), got {tuple(input_shape)}."
        )
    if without == "encoding" and input_shape[0] == 1 and input_shape[1] < 3:
        raise SertfError(f"SpeechNet without encoding reads values as steps, 3 or more, got {tuple(input_shape)}.")
    if scores not in SCORES:
        raise SertfError(f"SpeechNet: scores must be one of {', '.join(SCORES)}, got {scores!r}.")
    features = keras.Input(input_shape, name="features")
    x = encode(features, encoded=without != "encoding")  # (batch, 64, 2), or (batch, segments, 128)
    if without != "recall":
        x = keras.layers.LSTM(STEPS, return_sequences=True, name="recall")(x)  # (batch, 64, 64), equation 8
    if without != "attention":
        x = attend(x, pre_attention=without != "pre_attention")
    if without != "refinement":
        x = keras.layers.Conv1D(refinement_filters, 3, activation="relu", name="refinement")(x)  # equations 10 and 11
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    if without == "routing":
        output = softmax_scores(keras.layers.Flatten(name="embedding")(x), num_classes)
    else:
        x = route(
            x,
            num_classes,
            dimension=dimension,
            iterations=iterations,
            mode="classic" if without == "modified_routing" else "modified",
            squashed=scores == "lengths",
        )
        if scores == "softmax":
            output = softmax_scores(x, num_classes)
        else:
            # float32 under any policy, as `softmax_scores`.
            lengths = CapsuleLength(dtype="float32", name="scores")
            output = lengths(keras.layers.Reshape((num_classes, dimension))(x))
    return keras.Model(features, output, name="speechnet" if without is None else f"speechnet_without_{without}")
