"""The first blocks of Whisper's encoder (Radford et al. 2023, arXiv:2212.04356, section 2.2) as Keras layers."""

import keras

BANDS = 80
SMALLEST_VARIANCE = 1e-8  # of a pooled dimension
POSITIONS = 1500  # tokens of 20 ms that the encoder was trained on: 30 s


class Stored(keras.DTypePolicy):
    """Arithmetic in float32, variables in float16, as they were published."""

    def __init__(self):
        super().__init__("float32")

    @property
    def variable_dtype(self):
        return "float16"

    def get_config(self):
        return {}


@keras.saving.register_keras_serializable("sertf")
class WhisperEncoder(keras.layers.Layer):
    """Two convolutions and the first transformer blocks of Whisper.

    The second convolution halves the frames: a token is 20 ms. Tokens outside `visible` take part in nothing. The weights
    are float16 but for those of the normalisations. The arithmetic is float32.

    Args:
        dims: of a token.
        heads: of the attention.
        blocks: of the transformer.

    Call arguments:
        mel: (batch, 2 * tokens, 80) float32, Whisper's log mel spectrogram, at most 1500 tokens.
        visible: (batch, tokens) bool, each row's tokens up to its end.

    Returns:
        list of 1 + blocks tensors (batch, tokens, dims): what enters the first block, then each block's output.
    """

    def __init__(self, dims: int, heads: int, blocks: int, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})  # under any global policy
        self.dims = dims
        self.heads = heads
        self.blocks = blocks
        shared = {"activation": "gelu", "dtype": Stored()}
        self.conv1 = keras.layers.Conv1D(dims, 3, padding="same", **shared)
        self.conv2 = keras.layers.Conv1D(dims, 3, strides=2, **shared)
        self.layers = [WhisperBlock(dims, heads) for _ in range(blocks)]

    def build(self, mel_shape):
        self.conv1.build((None, None, BANDS))
        self.conv2.build((None, None, self.dims))
        for layer in self.layers:
            layer.build((None, None, self.dims))
        self.positions = self.add_weight(
            (POSITIONS, self.dims), name="positions", dtype=Stored().variable_dtype, trainable=False
        )
        self.built = True

    def call(self, mel, visible):
        tokens = keras.ops.shape(visible)[1]
        own = keras.ops.expand_dims(visible, -1)  # LiteRT takes no slice with a new axis of booleans
        frames = keras.ops.repeat(own, 2, axis=1)
        mel = keras.ops.where(frames, mel, 0.0)  # as the convolutions' own padding
        x = keras.ops.where(frames, self.conv1(mel), 0.0)  # (batch, 2 * tokens, dims)
        x = self.conv2(keras.ops.pad(x, [[0, 0], [1, 0], [0, 0]]))  # (batch, tokens, dims)
        x = x + keras.ops.cast(self.positions, "float32")[:tokens]
        outputs = [x]
        for layer in self.layers:
            outputs.append(layer(outputs[-1], visible))
        return outputs

    def get_config(self):
        return {**super().get_config(), "dims": self.dims, "heads": self.heads, "blocks": self.blocks}


class WhisperBlock(keras.layers.Layer):
    """Attention and two dense layers, each behind a normalisation and beside a residual path.

    Args:
        dims: of a token.
        heads: of the attention.
        dropout: of what is added to the residual path, while it trains.
        stored: float16 variables, as they were published; else float32, as training needs.

    Call arguments:
        x: (batch, tokens, dims) float32.
        visible: (batch, tokens) bool, the tokens that are attended to.

    Returns:
        (batch, tokens, dims) float32.
    """

    def __init__(self, dims: int, heads: int, *, dropout: float = 0.0, stored: bool = True, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})  # under any global policy
        self.dims = dims
        dtype = Stored() if stored else "float32"
        self.attention_norm = keras.layers.LayerNormalization(epsilon=1e-5, dtype="float32")
        # Whisper's keys have no bias; a bias adds the same to all scores of a query, so that the softmax is as without.
        self.attention = keras.layers.MultiHeadAttention(heads, dims // heads, dtype=dtype)
        self.dense_norm = keras.layers.LayerNormalization(epsilon=1e-5, dtype="float32")
        self.dense1 = keras.layers.Dense(4 * dims, activation="gelu", dtype=dtype)
        self.dense2 = keras.layers.Dense(dims, dtype=dtype)
        self.dropout = keras.layers.Dropout(dropout, dtype="float32")

    def build(self, shape):
        self.attention_norm.build(shape)
        self.attention.build(shape, shape)
        self.dense_norm.build(shape)
        self.dense1.build(shape)
        self.dense2.build((*shape[:-1], 4 * self.dims))
        self.built = True

    def call(self, x, visible, training=False):
        normed = self.attention_norm(x)
        attended = self.attention(normed, normed, attention_mask=keras.ops.expand_dims(visible, 1))
        x = x + self.dropout(attended, training=training)
        return x + self.dropout(self.dense2(self.dense1(self.dense_norm(x))), training=training)


@keras.saving.register_keras_serializable("sertf")
class TrainableWhisperBlocks(keras.layers.Layer):
    """Consecutive blocks of Whisper's encoder to be trained on.

    Args:
        dims: of a token.
        heads: of the attention.
        blocks: how many.
        dropout: of what each block adds to the residual path.

    Call arguments:
        x: (batch, tokens, dims), the outputs of the block before them.
        visible: (batch, tokens) bool, the tokens that are attended to.

    Returns:
        list of `blocks` tensors (batch, tokens, dims), each block's output.
    """

    def __init__(self, dims: int, heads: int, blocks: int, *, dropout: float = 0.0, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.dims = dims
        self.heads = heads
        self.blocks = blocks
        self.dropout = dropout
        self.layers = [WhisperBlock(dims, heads, dropout=dropout, stored=False) for _ in range(blocks)]

    def build(self, x_shape, visible_shape):
        for layer in self.layers:
            layer.build((None, None, self.dims))
        self.built = True

    def call(self, x, visible, training=False):
        outputs = []
        for layer in self.layers:
            x = layer(x, visible, training=training)
            outputs.append(x)
        return outputs

    def compute_output_shape(self, x_shape, visible_shape):
        return [tuple(x_shape)] * self.blocks

    def get_config(self):
        own = {"dims": self.dims, "heads": self.heads, "blocks": self.blocks, "dropout": self.dropout}
        return {**super().get_config(), **own}


def mean_and_deviation(x: keras.KerasTensor, own: keras.KerasTensor) -> keras.KerasTensor:
    """Means, then standard deviations over the own steps (batch, steps) of x (batch, steps, values): (batch, 1, 2 * values)."""
    weights = keras.ops.cast(own, x.dtype)
    # At least 1: a row without a single own step has means of 0.
    weights = (weights / keras.ops.maximum(keras.ops.sum(weights, axis=1, keepdims=True), 1.0))[:, None]
    mean = keras.ops.matmul(weights, x)  # (batch, 1, values)
    variance = keras.ops.matmul(weights, keras.ops.square(x - mean))
    return keras.ops.concatenate([mean, keras.ops.sqrt(variance + SMALLEST_VARIANCE)], axis=-1)


@keras.saving.register_keras_serializable("sertf")
class MeanAndDeviation(keras.layers.Layer):
    """Mean and standard deviation over the own steps of a sequence.

    Call arguments:
        x: (batch, steps, values).
        own: (batch, steps) bool.

    Returns:
        (batch, 2 * values): means, then deviations; 0 and about 0 without a single own step.
    """

    def call(self, x, own):
        return mean_and_deviation(x, own)[:, 0]

    def compute_output_shape(self, x_shape, own_shape):
        return (x_shape[0], 2 * x_shape[-1])
