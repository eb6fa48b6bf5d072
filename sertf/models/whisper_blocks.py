"""Blocks of Whisper's encoder to be fine-tuned, on the outputs of the frozen blocks before them.

Mean and deviation of each block's output over the speech go to one dense layer. The encoder is Whisper's (Radford et al.
2023, arXiv:2212.04356). The front end `whisper` with the pooling "speech" gives the outputs of the frozen blocks.
"""

import keras

from sertf.errors import SertfError
from sertf.layers.masks import FrameMask
from sertf.layers.whisper_encoder import MeanAndDeviation, TrainableWhisperBlocks, WhisperEncoder
from sertf.models.linear import CLIP
from sertf.models.options import Shape, checked
from sertf.models.output import softmax_scores


@checked("Whisper blocks")
def build(
    input_shape: Shape,
    num_classes: int,
    *,
    size: str = "tiny.en",
    first: int = 2,
    last: int = 3,
    block_dropout: float = 0.2,
    dropout: float = 0.3,
) -> keras.Model:
    """The blocks with Whisper's weights, as an uncompiled functional model.

    The layer named "embedding" gives the standardised means and deviations. A recipe with `linear_start` sets their
    standardisation and the last layer by the training part.

    Args:
        input_shape: (tokens, dims) of the block before `first`, tokens None for any length; zero tokens are padding.
        num_classes: number of emotions.
        size: of Whisper, "tiny.en" or "base".
        first: the first block that is trained, counted from 1.
        last: the last block.
        block_dropout: rate of what each block adds to its residual path.
        dropout: rate before the last layer.
    """
    from sertf.features import whisper, whisper_weights

    known = whisper_weights.SIZES
    if size not in known:
        raise SertfError(f"Whisper blocks: size must be one of {', '.join(known)}, got {size!r}.")
    chosen = known[size]
    if not first <= last <= chosen.blocks:
        raise SertfError(
            f"Whisper blocks: first and last must rise and be at most {chosen.blocks}, got {first} and {last}."
        )
    if len(input_shape) != 2 or input_shape[1] != chosen.dims:
        raise SertfError(
            f"Whisper blocks: input_shape must be (tokens, {chosen.dims}), got {tuple(input_shape)}; use the front end "
            f'whisper with size="{size}", blocks=({first - 1},) and pooling="speech".'
        )
    tokens = keras.Input(input_shape, name="features")
    own = FrameMask(name="own")(tokens)
    trained = TrainableWhisperBlocks(
        chosen.dims, chosen.heads, last - first + 1, dropout=block_dropout, name="whisper_blocks"
    )
    outputs = trained(tokens, own)
    published = WhisperEncoder(chosen.dims, chosen.heads, last)
    whisper.read_weights(published, size)
    for block, frozen in zip(trained.layers, published.layers[first - 1 :], strict=True):
        block.set_weights([keras.ops.cast(variable, "float32") for variable in frozen.weights])
    pooled = [MeanAndDeviation(name=f"pooled_{first - 1 + i}")(x, own) for i, x in enumerate([tokens, *outputs])]
    pooled = keras.layers.Concatenate(name="pooled")(pooled)  # (batch, blocks · 2 · dims)
    x = keras.layers.Normalization(name="embedding")(pooled)
    x = keras.layers.Dropout(dropout, name="dropout")(keras.ops.clip(x, -CLIP, CLIP))
    return keras.Model(tokens, softmax_scores(x, num_classes), name=f"whisper_{size}_blocks_{first}_to_{last}")
