"""Log mel spectrogram of a fixed cut: the input of the CNN-Transformer with cross-attention (IJACSA 2025)."""

import keras

from sertf.errors import SertfError, check_finite, is_number
from sertf.features.front_end import FrontEnd, counted
from sertf.layers import spectral


@keras.saving.register_keras_serializable("sertf")
class LogMel(FrontEnd):
    """Mel spectrogram in decibels under the maximum, of a cut of fixed length.

    CNN-Transformer with cross-attention (IJACSA 2025): the 3 s from 0.5 s on at 48 kHz, padded with zeros. The Hamming
    window has 512 samples every 256, the FFT 1024, with 128 mel bands up to 24 kHz: 563 frames. The padding belongs to the
    cut, so that every utterance has all frames. The paper's (mels, frames) is this layer's output transposed.

    Args:
        sample_rate: Hz of the waveforms.
        offset_seconds: where the cut begins.
        duration_seconds: how long it is.
        n_fft: FFT length in samples, even.
        win_length: window length in samples, at most `n_fft`; centred in the frame.
        hop_length: samples from frame to frame.
        n_mels: mel bands from 0 Hz to `fmax`.
        window: name of the periodic window, as scipy.signal.get_window knows it.
        fmax: upper edge of the last mel band in Hz; half the sample rate if None.
        top_db: decibels under the cut's maximum at which values are cut off.

    Call arguments:
        waveform: (batch, samples) float32; rows shorter than the longest are padded at the end.
        lengths: (batch,) integers, the true samples of each row; None if all of them are.

    Returns:
        (batch, 1 + duration // hop_length, n_mels) float32 between -top_db and 0.

    Raises:
        SertfError: for a parameter out of range or a waveform that ends before the cut begins.
    """

    version = 1

    def __init__(
        self,
        sample_rate: int = 48000,
        *,
        offset_seconds: float = 0.5,
        duration_seconds: float = 3.0,
        n_fft: int = 1024,
        win_length: int = 512,
        hop_length: int = 256,
        n_mels: int = 128,
        window: str = "hamming",
        fmax: float | None = None,
        top_db: float = 80.0,
        name: str | None = None,
    ):
        super().__init__(sample_rate, name=name)
        sizes = {"sample_rate": sample_rate, "n_fft": n_fft, "win_length": win_length}
        sizes |= {"hop_length": hop_length, "n_mels": n_mels}
        spectral.check_sizes("LogMel", **sizes, top_db=top_db)
        if win_length > n_fft:
            raise SertfError(f"LogMel: win_length must be at most n_fft ({n_fft}), got {win_length}.")
        check_finite("LogMel", offset_seconds=offset_seconds, duration_seconds=duration_seconds)
        spectral.window(window, win_length)
        if offset_seconds < 0 or duration_seconds * sample_rate < 1:
            raise SertfError(
                "LogMel: offset_seconds must be 0 or more and duration_seconds at least one sample, got "
                f"{offset_seconds} and {duration_seconds}."
            )
        if fmax is not None and not (is_number(fmax) and 0 < fmax <= sample_rate / 2):
            raise SertfError(f"LogMel: fmax must lie between 0 and {sample_rate / 2:g} Hz, got {fmax!r}.")
        self.offset_seconds = float(offset_seconds)
        self.duration_seconds = float(duration_seconds)
        self.n_fft = n_fft
        self.win_length = win_length
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.window = window
        self.fmax = None if fmax is None else float(fmax)
        self.top_db = float(top_db)
        self.feature_names = [f"mel_{i}" for i in range(n_mels)]
        self.feature_shape = (spectral.centred_frames(self.duration_samples, hop_length), n_mels)

    @property
    def offset_samples(self):
        return round(self.offset_seconds * self.sample_rate)

    @property
    def duration_samples(self):
        return round(self.duration_seconds * self.sample_rate)

    @property
    def span(self):
        """First sample of the cut and the one behind its last."""
        return self.offset_samples, self.offset_samples + self.duration_samples

    @property
    def minimum_samples(self):
        """An utterance must reach into the cut."""
        return self.offset_samples + 1

    @property
    def dimension_groups(self) -> list[tuple[str, int]]:
        return [counted("mel band", self.feature_shape[1])]

    def build(self, waveform_shape):
        self._filters = spectral.mel_filters(
            sample_rate=self.sample_rate, n_fft=self.n_fft, n_mels=self.n_mels, fmax=self.fmax
        )
        self._window = spectral.window(self.window, self.win_length)
        self.built = True

    def features(self, waveform, lengths):
        cut = waveform[:, self.offset_samples : self.offset_samples + self.duration_samples]
        cut = keras.ops.pad(cut, [[0, 0], [0, self.duration_samples]])[:, : self.duration_samples]
        cut = keras.ops.reshape(cut, (-1, self.duration_samples))  # states the length where it was unknown
        power = spectral.power_spectrogram(cut, self._window, n_fft=self.n_fft, hop_length=self.hop_length)
        mel = keras.ops.matmul(power, self._filters)  # (batch, frames, n_mels)
        return spectral.power_to_db(mel, relative=True, top_db=self.top_db)
