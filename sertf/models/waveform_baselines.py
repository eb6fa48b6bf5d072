"""Baselines of SERCT (thesis, Groningen 2024, section 5.2 and Table 3) on the raw waveform, (samples, 1).

The thesis prints no sizes. Those of MLP, CNN and CNN-BiLSTM come from its code. Its LSTM has 8000 units on a single step
of 8000 samples. Here it has 128 units on steps of 320 samples, as many as SERCT has. Its SVM is `CLASSICAL`'s "svm" with
C=1 and gamma="auto". The experiments here train it on standardised waveforms. The thesis's code uses them as they are,
a much wider kernel. The layer "embedding" is what the softmax reads. In the code the CNN and the LSTM end in a softmax
before a cross-entropy that applies one itself; `softmax_twice` does so.
"""

import math
from collections.abc import Callable, Sequence

import keras

from sertf.errors import SertfError
from sertf.models.baselines import classify
from sertf.models.options import Shape, checked

CNN_BLOCKS = {"paper": ((32, 5, 1), (32, 5, 1)), "narrow": ((32, 5, 8), (32, 5, 8))}
CNN_BILSTM_BLOCKS = {"paper": ((32, 5, 3), (64, 5, 3)), "narrow": ((32, 5, 10), (64, 5, 10))}
"""(filters, kernel, pool) of each block by size; "narrow" pools more, for a CPU."""


@checked("waveform_mlp")
def build_mlp(input_shape: Shape, num_classes: int, *, units: int = 100, dropout: float = 0.0) -> keras.Model:
    """One hidden layer on all samples."""
    waveform = _waveform("waveform_mlp", input_shape)
    x = keras.layers.Dense(units, activation="relu")(keras.layers.Flatten()(waveform))
    return keras.Model(waveform, classify(x, num_classes, dropout=dropout), name="waveform_mlp")


@checked("waveform_lstm")
def build_lstm(
    input_shape: Shape,
    num_classes: int,
    *,
    step_samples: int = 320,
    units: int = 128,
    hidden_units: int = 32,
    softmax_twice: bool = False,
    dropout: float = 0.5,
) -> keras.Model:
    """An LSTM on steps of `step_samples` samples, what fills no step left out; a dense layer on its last state."""
    waveform = _waveform("waveform_lstm", input_shape, shortest=step_samples)
    steps = input_shape[0] // step_samples
    x = keras.layers.Cropping1D((0, input_shape[0] - steps * step_samples))(waveform)
    x = keras.layers.Reshape((steps, step_samples))(x)
    x = keras.layers.Dropout(dropout)(keras.layers.LSTM(units)(x))
    x = keras.layers.Dense(hidden_units, activation="relu")(x)
    return keras.Model(waveform, _scores(x, num_classes, softmax_twice, dropout=0.0), name="waveform_lstm")


@checked("waveform_cnn", forms={"blocks": (None, 3)})
def build_cnn(
    input_shape: Shape,
    num_classes: int,
    *,
    size: str = "paper",
    blocks: Sequence[tuple[int, int, int]] | None = None,
    hidden_units: int = 32,
    softmax_twice: bool = False,
    dropout: float = 0.5,
) -> keras.Model:
    """Convolutions of full length, each normed, with dropout and pooling, and a dense layer on all they leave.

    `size` names `CNN_BLOCKS`; `blocks` replace these.
    """
    blocks = _blocks("waveform_cnn", CNN_BLOCKS, size) if blocks is None else blocks
    waveform = _waveform("waveform_cnn", input_shape, shortest=math.prod(pool for _, _, pool in blocks))
    x = waveform
    for filters, kernel, pool in blocks:
        x = keras.layers.Conv1D(filters, kernel, padding="same", use_bias=False)(x)
        x = keras.layers.Dropout(dropout)(keras.layers.ReLU()(_batch_norm(x)))
        x = keras.layers.MaxPooling1D(pool)(x) if pool > 1 else x
    x = keras.layers.Dense(hidden_units, use_bias=False)(keras.layers.Flatten()(x))
    x = keras.layers.ReLU()(_batch_norm(x))
    return keras.Model(waveform, _scores(x, num_classes, softmax_twice, dropout=dropout), name="waveform_cnn")


@checked("waveform_cnn_bilstm", forms={"blocks": (None, 3)})
def build_cnn_bilstm(
    input_shape: Shape,
    num_classes: int,
    *,
    size: str = "paper",
    blocks: Sequence[tuple[int, int, int]] | None = None,
    units: int = 60,
    dropout: float = 0.5,
) -> keras.Model:
    """Convolutions, each pooled, and a bidirectional LSTM; both directions' last states are classified.

    `size` names `CNN_BILSTM_BLOCKS`; `blocks` replace these.
    """
    blocks = _blocks("waveform_cnn_bilstm", CNN_BILSTM_BLOCKS, size) if blocks is None else blocks
    waveform = _waveform("waveform_cnn_bilstm", input_shape, shortest=_shortest_for(blocks))
    x = waveform
    for filters, kernel, pool in blocks:
        x = keras.layers.MaxPooling1D(pool)(keras.layers.Conv1D(filters, kernel, activation="relu")(x))
    x = keras.layers.Bidirectional(keras.layers.LSTM(units))(x)
    return keras.Model(waveform, classify(x, num_classes, dropout=dropout), name="waveform_cnn_bilstm")


WAVEFORM_BASELINES: dict[str, Callable[..., keras.Model]] = {
    "waveform_mlp": build_mlp,
    "waveform_lstm": build_lstm,
    "waveform_cnn": build_cnn,
    "waveform_cnn_bilstm": build_cnn_bilstm,
}


def _waveform(name, input_shape, *, shortest=1):
    if len(input_shape) != 2 or input_shape[0] is None or input_shape[1] != 1:
        raise SertfError(f"{name}: input_shape must be (samples, 1) of a fixed number of samples, got {input_shape}.")
    if input_shape[0] < shortest:
        raise SertfError(f"{name}: input_shape must hold at least {shortest} samples, got {input_shape[0]}.")
    return keras.Input(input_shape, name="features")


def _blocks(name, sizes, size):
    if size not in sizes:
        raise SertfError(f"{name}: size must be one of {', '.join(sizes)}, got {size!r}.")
    return sizes[size]


def _shortest_for(blocks):
    """Samples that leave one step behind convolutions without padding."""
    samples = 1
    for _, kernel, pool in reversed(blocks):
        samples = samples * pool + kernel - 1
    return samples


def _scores(x, num_classes, softmax_twice, *, dropout):
    scores = classify(x, num_classes, dropout=dropout)
    return keras.layers.Softmax(dtype="float32", name="second_softmax")(scores) if softmax_twice else scores


def _batch_norm(x):
    return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
