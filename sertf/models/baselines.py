"""Baselines of SpeechNet (BSPC 2025, Figure 6 and Table 4) on the same 107 values, each in a size of the field.

The paper names its baselines by reference and prints neither sizes nor recipes. They read one vector of n
values, (1, n), as n steps of one value. They read a sequence (m, n) as m steps of n values. The machines without a notion of time
(restricted Boltzmann machine, autoencoder) read all values at once. All end in a softmax of the emotions. It reads the
layer "embedding".
"""

from collections.abc import Callable, Sequence

import keras

from sertf.errors import SertfError
from sertf.layers import ClassificationRBM, LearnedPositions, LiquidReservoir, ReconstructionError
from sertf.models.options import Shape, checked
from sertf.models.output import softmax_scores


def features_of(name: str, input_shape: Shape) -> keras.KerasTensor:
    """The input, whose length is fixed: these networks take no mask, so that padding would count as features."""
    if len(input_shape) != 2 or None in tuple(input_shape):
        raise SertfError(
            f"{name}: input_shape must be (1, dims) or (steps, dims) of a fixed number of steps, got {tuple(input_shape)}."
        )
    return keras.Input(input_shape, name="features")


def read_as_steps(features: keras.KerasTensor) -> keras.KerasTensor:
    """(1, n) as n steps of 1, (m, n) as m steps of n."""
    return keras.layers.Permute((2, 1), name="steps")(features) if features.shape[1] == 1 else features


def classify(x: keras.KerasTensor, num_classes: int, *, dropout: float) -> keras.KerasTensor:
    """Dropout and a softmax on a flat representation."""
    x = keras.layers.Dropout(dropout, name="embedding_dropout")(keras.layers.Identity(name="embedding")(x))
    return softmax_scores(x, num_classes)


@checked("lstm")
def build_lstm(input_shape: Shape, num_classes: int, *, units: int = 64, dropout: float = 0.3) -> keras.Model:
    """Two LSTM layers, the last state classified."""
    return _recurrent(keras.layers.LSTM, input_shape, num_classes, units, dropout, "lstm")


@checked("gru")
def build_gru(input_shape: Shape, num_classes: int, *, units: int = 64, dropout: float = 0.3) -> keras.Model:
    """Two GRU layers, the last state classified."""
    return _recurrent(keras.layers.GRU, input_shape, num_classes, units, dropout, "gru")


def _recurrent(layer, input_shape, num_classes, units, dropout, name):
    features = features_of(name, input_shape)
    x = layer(units, return_sequences=True)(read_as_steps(features))  # (batch, steps, units)
    x = layer(units)(x)  # (batch, units)
    return keras.Model(features, classify(x, num_classes, dropout=dropout), name=name)


@checked("cnn")
def build_cnn(
    input_shape: Shape,
    num_classes: int,
    *,
    filters: Sequence[int] = (64, 128, 128),
    kernel: int = 5,
    dropout: float = 0.3,
) -> keras.Model:
    """Convolutions over the steps, each normalised and halved by max pooling, averaged at the end."""
    features = features_of("cnn", input_shape)
    x = read_as_steps(features)
    for width in filters:
        x = _conv_norm_relu(x, width, kernel)
        x = keras.layers.MaxPooling1D(2, padding="same")(x)
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(features, classify(x, num_classes, dropout=dropout), name="cnn")


@checked("transformer")
def build_transformer(
    input_shape: Shape,
    num_classes: int,
    *,
    width: int = 64,
    heads: int = 4,
    layers: int = 2,
    dropout: float = 0.3,
) -> keras.Model:
    """Encoder layers with learned positions and the norm behind each sum (Vaswani et al. 2017), averaged at the end."""
    features = features_of("transformer", input_shape)
    if width % heads:
        raise SertfError(f"transformer: heads must divide the width of {width}, got {heads}.")
    x = keras.layers.Dense(width, name="projection")(read_as_steps(features))  # (batch, steps, width)
    x = LearnedPositions(name="positions")(x)
    for _ in range(layers):
        attended = keras.layers.MultiHeadAttention(heads, width // heads, dropout=dropout)(x, x)
        x = keras.layers.LayerNormalization()(x + attended)
        forward = keras.layers.Dense(width)(keras.layers.Dense(4 * width, activation="relu")(x))
        x = keras.layers.LayerNormalization()(x + keras.layers.Dropout(dropout)(forward))
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(features, classify(x, num_classes, dropout=dropout), name="transformer")


@checked("unet")
def build_unet(
    input_shape: Shape, num_classes: int, *, filters: Sequence[int] = (32, 64, 128), dropout: float = 0.3
) -> keras.Model:
    """U-Net over the steps (Ronneberger et al. 2015): halved on the way down, doubled and joined on the way up.

    The steps are padded with zeros to a multiple of 2 to the number of halvings.
    """
    features = features_of("unet", input_shape)
    x = read_as_steps(features)
    halvings = len(filters) - 1
    x = keras.layers.ZeroPadding1D((0, -x.shape[1] % 2**halvings))(x)
    skips = []
    for width in filters[:-1]:
        x = _conv_norm_relu(x, width, 3)
        skips.append(x)
        x = keras.layers.MaxPooling1D(2)(x)
    x = _conv_norm_relu(x, filters[-1], 3)
    for width, skip in zip(reversed(filters[:-1]), reversed(skips)):
        x = keras.layers.Concatenate()([keras.layers.UpSampling1D(2)(x), skip])
        x = _conv_norm_relu(x, width, 3)
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(features, classify(x, num_classes, dropout=dropout), name="unet")


@checked("tcn")
def build_tcn(
    input_shape: Shape,
    num_classes: int,
    *,
    filters: int = 64,
    dilations: Sequence[int] = (1, 2, 4, 8, 16),
    kernel: int = 3,
    dropout: float = 0.2,
) -> keras.Model:
    """Temporal convolutional network (Bai et al. 2018): residual blocks of two dilated causal convolutions, last step."""
    features = features_of("tcn", input_shape)
    x = read_as_steps(features)
    for dilation in dilations:
        inner = x
        for _ in range(2):
            inner = keras.layers.Conv1D(filters, kernel, padding="causal", dilation_rate=dilation, activation="relu")(
                inner
            )
            inner = keras.layers.SpatialDropout1D(dropout)(inner)
        shortcut = x if x.shape[-1] == filters else keras.layers.Conv1D(filters, 1)(x)
        x = keras.layers.ReLU()(shortcut + inner)
    return keras.Model(features, classify(x[:, -1], num_classes, dropout=dropout), name="tcn")


@checked("rbm")
def build_rbm(input_shape: Shape, num_classes: int, *, hidden_units: int = 256, dropout: float = 0.3) -> keras.Model:
    """Classification restricted Boltzmann machine, trained by its own conditional likelihood (see the layer)."""
    features = features_of("rbm", input_shape)
    x = keras.layers.Dropout(dropout, name="dropout")(keras.layers.Flatten(name="embedding")(features))
    # float32 under any policy: half precision rounds energies of hundreds to whole numbers.
    x = ClassificationRBM(hidden_units, num_classes, dtype="float32", name="energies")(x)
    return keras.Model(features, keras.layers.Softmax(dtype="float32", name="scores")(x), name="rbm")


@checked("autoencoder")
def build_autoencoder(
    input_shape: Shape,
    num_classes: int,
    *,
    units: Sequence[int] = (256, 64),
    weight: float = 1.0,
    dropout: float = 0.3,
) -> keras.Model:
    """Autoencoder whose code is classified; its mean squared reconstruction error joins the loss with `weight`."""
    features = features_of("autoencoder", input_shape)
    flat = keras.layers.Flatten()(features)
    x = flat
    for width in units:
        x = keras.layers.Dense(width, activation="relu")(x)
    code = x
    for width in reversed(units[:-1]):
        x = keras.layers.Dense(width, activation="relu")(x)
    reconstruction = keras.layers.Dense(flat.shape[-1], name="reconstruction")(x)
    code = ReconstructionError(weight, dtype="float32", name="reconstruction_error")(code, flat, reconstruction)
    return keras.Model(features, classify(code, num_classes, dropout=dropout), name="autoencoder")


@checked("lsm")
def build_lsm(input_shape: Shape, num_classes: int, *, neurons: int = 256, dropout: float = 0.3) -> keras.Model:
    """Liquid state machine (Maass et al. 2002): a fixed spiking reservoir whose spike counts are classified."""
    features = features_of("lsm", input_shape)
    # float32 under any policy: rounding makes other neurons fire, and half precision counts spikes to 256 alone.
    x = LiquidReservoir(neurons, dtype="float32", name="reservoir")(read_as_steps(features))  # (batch, neurons)
    return keras.Model(features, classify(x, num_classes, dropout=dropout), name="lsm")


def _conv_norm_relu(x, filters, kernel):
    x = keras.layers.Conv1D(filters, kernel, padding="same", use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))


BASELINES: dict[str, Callable[..., keras.Model]] = {
    "lstm": build_lstm,
    "gru": build_gru,
    "cnn": build_cnn,
    "transformer": build_transformer,
    "unet": build_unet,
    "rbm": build_rbm,
    "autoencoder": build_autoencoder,
    "lsm": build_lsm,
    "tcn": build_tcn,
}
