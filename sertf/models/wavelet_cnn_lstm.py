"""CNN-LSTM on wavelet-scaled spectrograms: parallel convolutions, local feature learning blocks, LSTM, dense, softmax.

Sayed, Husnain, Shoaib, Ghadi, Alajmi and Qahmash, "A combine CNN-RNN based approach for augmenting the performance of
speech emotions recognition", Traitement du Signal (2025). Figure 3 is the network, Figure 4 a local feature learning
block, Table 3 its sizes.

Where the paper leaves a choice: Table 3 counts nine convolutions and five poolings. Three parallel pipes, their pooling
and six blocks give these numbers if the first four blocks pool. The table names filters of 3×3 and 5×5, the text three
resolutions; here they are 3, 5 and 7. Rows of scales are folded into the channels, so that the LSTM runs over time.
"""

from collections.abc import Callable, Sequence

import keras

from sertf.errors import SertfError
from sertf.layers import RandomPlace, SpectrogramMasks
from sertf.models.options import Shape, checked
from sertf.models.output import softmax_scores

POOLINGS = {"average": keras.layers.AveragePooling2D, "max": keras.layers.MaxPooling2D}
BLOCKS = 6


def conv_norm_relu(x: keras.KerasTensor, filters: int, kernel: int) -> keras.KerasTensor:
    """A convolution without bias, batch norm and ReLU."""
    x = keras.layers.Conv2D(filters, kernel, padding="same", use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))


def parallel_pipes(
    image: keras.KerasTensor, filters: int, kernels: Sequence[int], pool: Callable[[], keras.Layer]
) -> keras.KerasTensor:
    """The same image through convolutions of several widths, pooled and joined by their channels."""
    return keras.layers.Concatenate()([pool()(conv_norm_relu(image, filters, kernel)) for kernel in kernels])


def fold_rows(x: keras.KerasTensor) -> keras.KerasTensor:
    """(batch, scales, time, channels) to (batch, time, scales · channels)."""
    scales, steps, channels = x.shape[1:]
    x = keras.layers.Permute((2, 1, 3))(x)
    return keras.layers.Reshape((steps, scales * channels), name="steps")(x)


@checked("Wavelet CNN-LSTM", least={"pooled_blocks": 0, "masks": 0}, forms={"masks": (2,)})
def build(
    input_shape: Shape,
    num_classes: int,
    *,
    colours: int = 1,
    filters: int = 64,
    kernels: Sequence[int] = (3, 5, 7),
    pooling: str = "average",
    pooled_blocks: int = 4,
    lstm_units: int = 100,
    dense_units: int = 1024,
    masks: tuple[int, int] | None = None,
    moved: bool = False,
) -> keras.Model:
    """The CNN-LSTM as an uncompiled functional model.

    Args:
        input_shape: (time bins, scales · colours), a scale's colours side by side, as `sertf.features.Scalogram` gives.
        num_classes: number of emotions.
        colours: channels of the image, 1 for power and 3 for an image in colours.
        filters: of every convolution; the paper tries 64, 128 and 256.
        kernels: widths of the parallel convolutions, odd.
        pooling: "average" or "max", by 2 in time and scale.
        pooled_blocks: how many of the six blocks pool, the first ones.
        lstm_units: the paper tries 64, 100, 128 and 256.
        dense_units: of the layer before the softmax.
        masks: (scales, time bins) of the widest `SpectrogramMasks` in training, two of each; None, as published, has none.
        moved: put each clip at another place of its window in every training step, see `RandomPlace`.

    Raises:
        SertfError: for an unknown pooling, or an image that the poolings shrink to nothing.
    """
    if pooling not in POOLINGS:
        raise SertfError(f"Wavelet CNN-LSTM: pooling must be one of {', '.join(POOLINGS)}, got {pooling!r}.")
    if not 0 <= pooled_blocks <= BLOCKS:
        raise SertfError(f"Wavelet CNN-LSTM: pooled_blocks must be from 0 to {BLOCKS}, got {pooled_blocks!r}.")
    if len(input_shape) != 2 or None in tuple(input_shape):
        raise SertfError(
            f"Wavelet CNN-LSTM: input_shape must be (time bins, scales x colours), both fixed, got {tuple(input_shape)}."
        )
    bins, values = input_shape
    if values % colours:
        raise SertfError(f"Wavelet CNN-LSTM: colours must divide the {values} values of a time bin, got {colours!r}.")
    poolings, scales = 1 + pooled_blocks, values // colours
    if min(bins, scales) < 2**poolings:
        raise SertfError(
            f"Wavelet CNN-LSTM: {poolings} poolings by 2 need at least {2**poolings} time bins and scales, got {bins} "
            f"and {scales}."
        )

    def pool():
        return POOLINGS[pooling](2)

    features = keras.Input(input_shape, name="features")
    placed = RandomPlace(name="place")(features) if moved else features
    image = keras.layers.Reshape((bins, scales, colours))(placed)
    if masks is not None:
        image = SpectrogramMasks(*masks, name="masks")(image)
    image = keras.layers.Permute((2, 1, 3), name="image")(image)  # (batch, scales, time, channels)
    x = parallel_pipes(image, filters, kernels, pool)
    for block in range(BLOCKS):
        x = conv_norm_relu(x, filters, 3)
        if block < pooled_blocks:
            x = pool()(x)
    x = keras.layers.LSTM(lstm_units, name="recall")(fold_rows(x))  # (batch, lstm_units)
    x = keras.layers.Dense(dense_units, activation="relu", name="embedding")(x)
    scores = softmax_scores(x, num_classes)
    return keras.Model(features, scores, name="wavelet_cnn_lstm")
