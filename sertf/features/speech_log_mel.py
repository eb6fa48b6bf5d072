"""Log mel spectrogram of the speech of a clip of any length, without its quiet ends: the input of the attentive CNN."""

import keras
import numpy as np

from sertf.errors import SertfError, check_finite
from sertf.features.front_end import FrontEnd, counted
from sertf.layers import descriptors, spectral

MARGIN = 4  # frames kept ahead of the speech and behind it
ACTIVE_DB = 20.0  # under the loudest frame: what counts for the level


@keras.saving.register_keras_serializable("sertf")
class SpeechLogMel(FrontEnd):
    """Mel spectrogram in decibels of full scale, from the first loud frame of a clip to its last.

    A Hann window of 25 ms every 12.5 ms and 64 mel bands from 50 to 8000 Hz. Frames count as loud within `trim_db` of the
    loudest. The clip keeps 4 more at each end. With `level_db` the speech is brought to one level first, so that gain
    changes nothing.

    Args:
        sample_rate: Hz of the waveforms.
        n_fft: FFT length in samples, even.
        win_length: window length in samples, at most `n_fft`; centred in the frame.
        hop_length: samples from frame to frame.
        n_mels: mel bands from `fmin` to `fmax`.
        fmin: lower edge of the first mel band in Hz.
        fmax: upper edge of the last mel band in Hz.
        top_db: decibels kept under the clip's maximum.
        trim_db: quiet ends lie this far under the loudest frame; None keeps them.
        level_db: level of the speech in dB of full scale, over the frames at most 20 dB under the loudest. -26 is the
            nominal level of ITU-T P.56. None leaves the level as it is.

    Call arguments:
        waveform: (batch, samples) float32; rows shorter than the longest are padded at the end.
        lengths: (batch,) integers, the true samples of each row; None if all of them are.

    Returns:
        (batch, 1 + samples // hop_length, n_mels) float32; rows of 0 behind an utterance's last frame.

    Raises:
        SertfError: for a parameter out of range or a waveform of no samples.
    """

    version = 2

    def __init__(
        self,
        sample_rate: int = 16000,
        *,
        n_fft: int = 512,
        win_length: int = 400,
        hop_length: int = 200,
        n_mels: int = 64,
        fmin: float = 50.0,
        fmax: float = 8000.0,
        top_db: float = 80.0,
        trim_db: float | None = 40.0,
        level_db: float | None = None,
        name: str | None = None,
    ):
        super().__init__(sample_rate, name=name)
        sizes = {"sample_rate": sample_rate, "n_fft": n_fft, "win_length": win_length}
        spectral.check_sizes("SpeechLogMel", **sizes, hop_length=hop_length, n_mels=n_mels, top_db=top_db)
        if win_length > n_fft:
            raise SertfError(f"SpeechLogMel: win_length must be at most n_fft ({n_fft}), got {win_length}.")
        check_finite("SpeechLogMel", fmin=fmin, fmax=fmax)
        if not 0 <= fmin < fmax <= sample_rate / 2:
            raise SertfError(
                f"SpeechLogMel: fmin and fmax must rise from 0 or more to at most half the sample rate, {sample_rate / 2:g} "
                f"Hz, got fmin={fmin:g} and fmax={fmax:g}."
            )
        if trim_db is not None:
            check_finite("SpeechLogMel", trim_db=trim_db)
            if trim_db <= 0:
                raise SertfError(f"SpeechLogMel: trim_db must be above 0, or None, got {trim_db!r}.")
        if level_db is not None:
            check_finite("SpeechLogMel", level_db=level_db)
        self.n_fft = n_fft
        self.win_length = win_length
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.fmin = float(fmin)
        self.fmax = float(fmax)
        self.top_db = float(top_db)
        self.trim_db = None if trim_db is None else float(trim_db)
        self.level_db = None if level_db is None else float(level_db)
        self.feature_names = [f"mel_{i}" for i in range(n_mels)]
        self.feature_shape = (None, n_mels)

    @property
    def trims(self) -> bool:  # type: ignore[override]
        return self.trim_db is not None

    @property
    def dimension_groups(self) -> list[tuple[str, int]]:
        return [counted("mel band", self.n_mels)]

    def frames(self, lengths):
        """Frames of utterances of `lengths` samples before the ends are cut off: 1 + lengths // hop_length."""
        return spectral.centred_frames(lengths, self.hop_length)

    def build(self, waveform_shape):
        self._filters = spectral.mel_filters(
            sample_rate=self.sample_rate, n_fft=self.n_fft, n_mels=self.n_mels, fmin=self.fmin, fmax=self.fmax
        )
        self._window = spectral.window("hann", self.win_length)
        frequencies = np.fft.rfftfreq(self.n_fft, 1 / self.sample_rate)
        inside = (frequencies >= self.fmin) & (frequencies <= self.fmax)
        # Mean square of a frame within the bands, of full scale.
        self._mean_square = inside[:, None] * descriptors.mean_square_weights(n_fft=self.n_fft, window=self._window)
        self.built = True

    def features(self, waveform, lengths):
        own = spectral.own_positions(self.frames(lengths), self.frames(keras.ops.shape(waveform)[1]))
        power = spectral.power_spectrogram(waveform, self._window, n_fft=self.n_fft, hop_length=self.hop_length)
        mel = keras.ops.matmul(power, self._filters)  # (batch, frames, n_mels)
        of_frame = keras.ops.matmul(power, self._mean_square)[:, :, 0]  # (batch, frames)
        if self.level_db is not None:
            level = spectral.active_power(of_frame, own, range_db=ACTIVE_DB)[:, :, None]
            mel = mel * (10 ** (self.level_db / 10) / keras.ops.maximum(level, spectral.SMALLEST_POWER))
        decibels = spectral.power_to_db(mel, own_frames=own, top_db=self.top_db)
        return decibels if self.trim_db is None else self._trimmed(decibels, of_frame, own)

    def _trimmed(self, decibels, of_frame, own):
        """The frames of the speech moved to the start, rows of 0 behind them."""
        first, behind = spectral.loud_span(of_frame, own, range_db=self.trim_db)
        first = keras.ops.maximum(first - MARGIN, 0)
        behind = keras.ops.minimum(behind + MARGIN, keras.ops.sum(keras.ops.cast(own, "int32"), axis=1))
        total = keras.ops.shape(decibels)[1]
        places = keras.ops.minimum(first[:, None] + keras.ops.arange(total, dtype="int32")[None], total - 1)
        speech = keras.ops.take_along_axis(decibels, keras.ops.expand_dims(places, 2), axis=1)  # a form that LiteRT has
        return spectral.keep_own(speech, spectral.own_positions(behind - first, total))
