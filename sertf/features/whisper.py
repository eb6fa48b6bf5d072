"""The first blocks of Whisper's encoder, frozen, on speech brought to one level (Radford et al. 2023, arXiv:2212.04356)."""

from collections.abc import Mapping

import keras
import numpy as np

from sertf.errors import SertfError, check_finite, unknown
from sertf.features import whisper_weights
from sertf.features.front_end import FrontEnd
from sertf.features.whisper_weights import SIZES
from sertf.layers import spectral
from sertf.layers.whisper_encoder import BANDS, POSITIONS, WhisperEncoder, mean_and_deviation

SAMPLE_RATE = 16000
WINDOW = 400  # 25 ms
HOP = 160  # 10 ms
TOKEN = 2 * HOP  # samples of a token, 20 ms
SILENCE = 25  # tokens of silence behind the speech, 0.5 s
MARGIN = 5  # tokens kept before and behind the speech, 0.1 s
ACTIVE_DB = 20.0  # under the loudest token: what counts for the level
SMALLEST_POWER = 1e-14  # of a token, -140 dB: what is quieter is not amplified
POOLINGS = ("mean_std", "speech", "none")


@keras.saving.register_keras_serializable("sertf")
class Whisper(FrontEnd):
    """Outputs of blocks of Whisper's encoder, as a mean and a deviation over time or token by token.

    The speech is brought to one level first, so that gain changes nothing. Silence at both ends is cut off.
    Whisper's own 30 s of padding are not needed. Half a second of silence follows the speech, and the position table is
    cut to this length. Audio of more than 30 s goes through the encoder in pieces of 30 s.

    The weights are OpenAI's (MIT licence), see `sertf.features.whisper_weights`. They are stored in float16, as they were
    published. The arithmetic is float32.

    Args:
        sample_rate: Hz of the waveforms; Whisper knows 16000 only.
        size: "tiny.en" or "base".
        blocks: whose outputs are read, side by side; 0 is what enters block 1.
        pooling: "mean_std" for mean and standard deviation over the tokens of the speech, "speech" for these tokens,
            "none" for all tokens.
        level_db: level of the speech in dB of full scale, over the tokens at most 20 dB under the loudest. The default is
            the nominal level of ITU-T P.56. None leaves the level as it is.
        trim_db: silence at both ends lies this far under the loudest token and is cut off but for 0.1 s. None cuts
            nothing off, nor does the pooling "none".

    Call arguments:
        waveform: (batch, samples) float32; rows shorter than the longest are padded at the end.
        lengths: (batch,) integers, the true samples of each row; None if all of them are.

    Returns:
        With pooling (batch, 1, 2 * len(blocks) * dims) float32, the mean and the deviation of each block in turn.
        Else (batch, ceil(samples / 320), len(blocks) * dims): a token is 20 ms. Rows of 0 follow the speech.

    Raises:
        SertfError: for a parameter out of range, or weights that cannot be had.
    """

    version = 1
    minimum_samples = TOKEN

    def __init__(
        self,
        sample_rate: int = SAMPLE_RATE,
        *,
        size: str = "tiny.en",
        blocks: tuple[int, ...] = (2, 3),
        pooling: str = "mean_std",
        level_db: float | None = -26.0,
        trim_db: float | None = 40.0,
        name: str | None = None,
    ):
        super().__init__(sample_rate, name=name)
        if sample_rate != SAMPLE_RATE:
            raise SertfError(f"Whisper: sample_rate must be {SAMPLE_RATE}, got {sample_rate!r}.")
        if size not in SIZES:
            raise SertfError(unknown("size of Whisper", size, SIZES))
        if pooling not in POOLINGS:
            raise SertfError(unknown("pooling of Whisper", pooling, POOLINGS))
        last = SIZES[size].blocks
        if not blocks or list(blocks) != sorted(set(blocks)) or not set(blocks) <= set(range(last + 1)):
            raise SertfError(
                f"Whisper: blocks must be rising numbers from 0 to {last}, the blocks of {size}, got {blocks!r}."
            )
        decibels = {"level_db": level_db, "trim_db": trim_db}
        check_finite("Whisper", **{argument: value for argument, value in decibels.items() if value is not None})
        if trim_db is not None and trim_db <= 0:
            raise SertfError(f"Whisper: trim_db must be above 0 or None, got {trim_db!r}.")
        self.size = size
        self.blocks = tuple(blocks)
        self.pooling = pooling
        self.level_db = level_db
        self.trim_db = trim_db
        self.feature_names = [
            f"{group.replace(' ', '_')}_{i}" for group, dims in self.dimension_groups for i in range(dims)
        ]
        self.feature_shape = (1 if self.pools else None, len(self.feature_names))
        self.encoder = WhisperEncoder(SIZES[size].dims, SIZES[size].heads, max(blocks), trainable=False)

    @property
    def pretrained(self):
        """OpenAI's checkpoint."""
        return whisper_weights.described(self.size)

    @property
    def pools(self):
        """Whether a clip becomes one vector."""
        return self.pooling == "mean_std"

    @property
    def trims(self) -> bool:  # type: ignore[override]
        return self.pooling == "speech" and self.trim_db is not None

    @property
    def dimension_groups(self):
        kinds = ("mean", "deviation") if self.pools else ("output",)
        return [(f"block {block} {kind}", SIZES[self.size].dims) for block in self.blocks for kind in kinds]

    @property
    def frame_step_seconds(self):
        """20 ms from token to token."""
        return None if self.pools else TOKEN / SAMPLE_RATE

    def frames(self, lengths):
        return super().frames(lengths) if self.pools else self.tokens(lengths)

    def build(self, waveform_shape):
        self._transform = _windowed_fourier()
        self._filters = spectral.mel_filters(sample_rate=SAMPLE_RATE, n_fft=WINDOW, n_mels=BANDS)
        read_weights(self.encoder, self.size)
        self.built = True

    def features(self, waveform, lengths):
        start, own, gain = self._speech(waveform, lengths)
        tokens = -(-own // TOKEN)  # (batch,), those of the speech
        count = _whole_pieces(self._longest(waveform, tokens) + SILENCE)
        mel = self.log_mel(_cut(waveform, start, own, count) * gain)  # (batch, 2 * count, 80)
        outputs = self._encode(mel, tokens + SILENCE, count)  # (batch, count, dims) each
        if not self.pools:
            own = spectral.keep_own(keras.ops.concatenate(outputs, axis=-1), spectral.own_positions(tokens, count))
            return own[:, : self.frames(keras.ops.shape(waveform)[1])]
        own = spectral.own_positions(tokens, count)
        return keras.ops.concatenate([mean_and_deviation(output, own) for output in outputs], axis=-1)

    def _speech(self, waveform, lengths):
        """First sample of the speech, its samples and the factor that brings it to its level: (batch,), (batch,), (batch, 1)."""
        samples = keras.ops.shape(waveform)[1]
        in_tokens = keras.ops.reshape(
            keras.ops.pad(waveform, [[0, 0], [0, TOKEN - 1]])[:, : self.tokens(samples) * TOKEN],
            (-1, self.tokens(samples), TOKEN),
        )
        power = keras.ops.var(in_tokens, axis=-1)  # (batch, tokens); a constant offset is no sound
        own = spectral.own_positions(self.tokens(lengths), self.tokens(samples))
        gain = keras.ops.ones_like(power[:, :1])
        if self.level_db is not None:
            level = spectral.active_power(power, own, range_db=ACTIVE_DB)
            gain = keras.ops.sqrt(_power(self.level_db) / keras.ops.maximum(level, SMALLEST_POWER))
        if self.trim_db is None or self.pooling == "none":
            return keras.ops.zeros_like(lengths), lengths, gain
        first, behind = spectral.loud_span(power, own, range_db=self.trim_db)
        start = keras.ops.maximum(first - MARGIN, 0) * TOKEN
        return start, keras.ops.minimum((behind + MARGIN) * TOKEN, lengths) - start, gain

    def log_mel(self, signal):
        """Whisper's log mel spectrogram, (batch, frames, 80), of a signal (batch, (frames + 2) * 160).

        Frame t begins at sample 160 * t, so that a signal whose frames are centred begins with the mirrored 200 samples.
        """
        framed = spectral.frame_signal(signal, WINDOW, HOP)
        real, imaginary = keras.ops.split(keras.ops.matmul(framed, self._transform), 2, axis=-1)
        power = keras.ops.matmul(real * real + imaginary * imaginary, self._filters)
        mel = keras.ops.log10(keras.ops.maximum(power, spectral.SMALLEST_POWER))
        peak = keras.ops.max(mel, axis=(1, 2), keepdims=True)  # (batch, 1, 1)
        return (keras.ops.maximum(mel, peak - 8.0) + 4.0) / 4.0

    def _encode(self, mel, visible, count):
        """The blocks' outputs, (batch, count, dims) each; every piece of 30 s is encoded by itself."""
        piece = _least(count, POSITIONS)
        mel = keras.ops.reshape(mel, (-1, 2 * piece, BANDS))
        visible = keras.ops.reshape(spectral.own_positions(visible, count), (-1, piece))
        outputs = self.encoder(mel, visible)
        return [keras.ops.reshape(outputs[block], (-1, count, self.encoder.dims)) for block in self.blocks]

    def _longest(self, waveform, tokens):
        """Tokens of the longest row; of the waveform where its shape has to tell, as JAX needs and tokens that are kept."""
        if keras.backend.backend() == "jax" or not self.pools:
            return self.tokens(keras.ops.shape(waveform)[1])
        return keras.ops.max(tokens)

    @staticmethod
    def tokens(samples):
        """Tokens that so many samples begin."""
        return -(-samples // TOKEN)


def read_weights(encoder: WhisperEncoder, size: str) -> None:
    """Give an encoder the weights that ship with sertf, or else those of `whisper_weights.load`.

    Args:
        encoder: of the dims, heads and blocks of this size, or of fewer blocks.
        size: key of `whisper_weights.SIZES`.
    """
    encoder.build((None, None, BANDS))
    stored = whisper_weights.shipped(size, encoder.blocks)
    if stored is None:
        assign(encoder, whisper_weights.load(size))
        return
    for number, variable in enumerate(encoder.weights):
        variable.assign(stored(number))


def assign(encoder: WhisperEncoder, weights: Mapping[str, np.ndarray]) -> None:
    """Give an encoder the weights of `whisper_weights.load`."""
    encoder.positions.assign(weights["embed_positions.weight"])
    _assign_affine(encoder.conv1, weights, "conv1")
    _assign_affine(encoder.conv2, weights, "conv2")
    for index, block in enumerate(encoder.layers):
        _assign_block(block, weights, f"layers.{index}")


def _assign_block(block, weights, own):
    dims = block.dims
    heads = (block.attention.num_heads, dims // block.attention.num_heads)
    _assign_norm(block.attention_norm, weights, f"{own}.self_attn_layer_norm")
    for layer, part in (("query_dense", "q"), ("key_dense", "k"), ("value_dense", "v")):
        name = f"{own}.self_attn.{part}_proj"
        _assign_affine(getattr(block.attention, layer), weights, name, (dims, *heads), heads)
    _assign_affine(block.attention.output_dense, weights, f"{own}.self_attn.out_proj", (*heads, dims))
    _assign_norm(block.dense_norm, weights, f"{own}.final_layer_norm")
    _assign_affine(block.dense1, weights, f"{own}.fc1")
    _assign_affine(block.dense2, weights, f"{own}.fc2")


def _assign_affine(layer, weights, name, kernel_shape=None, bias_shape=None):
    kernel = weights[f"{name}.weight"].T  # from (out, in, …) to (…, in, out)
    bias = weights.get(f"{name}.bias", np.zeros(kernel.shape[-1], kernel.dtype))  # Whisper's keys have none
    layer.kernel.assign(kernel.reshape(kernel_shape or kernel.shape))
    layer.bias.assign(bias.reshape(bias_shape or bias.shape))


def _assign_norm(layer, weights, name):
    layer.gamma.assign(weights[f"{name}.weight"])
    layer.beta.assign(weights[f"{name}.bias"])


def _cut(waveform, start, own, count):
    """`own` samples from `start` on, the first 200 mirrored ahead of them, zeros behind: (batch, (count + 1) * 320)."""
    position = keras.ops.abs(keras.ops.arange((count + 1) * TOKEN, dtype="int32") - WINDOW // 2)[None]
    index = keras.ops.minimum(start[:, None] + position, keras.ops.shape(waveform)[1] - 1)
    samples = keras.ops.take_along_axis(waveform, index, axis=1)
    return keras.ops.where(position < own[:, None], samples, 0.0)


def _whole_pieces(count):
    """Tokens in pieces of equal length: one up to 30 s, else as many of 30 s as are needed."""
    piece = _least(count, POSITIONS)
    return -(-count // piece) * piece


def _least(count, limit):
    # A count that the shape tells stays a plain number, which JAX needs.
    return min(count, limit) if isinstance(count, int) else keras.ops.minimum(count, limit)


def _windowed_fourier():
    """Discrete Fourier transform of a window of 400 samples, float32 (400, 402): real parts, then imaginary ones.

    As a product of matrices it runs where there is no FFT of this length, as in LiteRT.
    """
    turns = np.outer(np.arange(WINDOW), np.arange(WINDOW // 2 + 1)) % WINDOW / WINDOW * 2 * np.pi
    window = spectral.window("hann", WINDOW, "float64")[:, None]
    return np.concatenate([np.cos(turns) * window, np.sin(turns) * window], axis=1).astype("float32")


def _power(decibels):
    return 10.0 ** (decibels / 10)
