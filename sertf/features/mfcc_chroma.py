"""MFCC and chroma, frame by frame: the input of ResLSTM-SA (arXiv 2606.03359)."""

import keras
import numpy as np

from sertf.errors import SertfError
from sertf.features.front_end import FrontEnd, counted
from sertf.layers import spectral


@keras.saving.register_keras_serializable("sertf")
class MfccChroma(FrontEnd):
    """Mel frequency cepstral coefficients and chroma of each frame.

    ResLSTM-SA (arXiv 2606.03359): 34 MFCC and 12 chroma from windows of 4096 samples every 2048 at 48 kHz. The rest are
    librosa's defaults: periodic Hann window, frames centred with zero padding, 128 Slaney mel bands, orthonormal DCT-II.
    Decibels are cut off 80 under the utterance's maximum. Chroma is scaled to a maximum of 1 in each frame. The authors let
    librosa estimate each file's tuning; here it is 0, which moves chroma by 0.006 on average.

    Args:
        sample_rate: Hz of the waveforms.
        n_mfcc: cepstral coefficients, from the zeroth on; at most `n_mels`.
        n_chroma: pitch classes of an octave.
        n_fft: window and FFT length in samples, even.
        hop_length: samples from frame to frame.
        n_mels: mel bands between 0 Hz and half the sample rate.
        top_db: decibels under the utterance's maximum at which values are cut off.

    Call arguments:
        waveform: (batch, samples) float32; rows shorter than the longest are padded at the end.
        lengths: (batch,) integers, the true samples of each row; None if all of them are.

    Returns:
        (batch, 1 + samples // hop_length, n_mfcc + n_chroma) float32, rows of 0 beyond an utterance's own frames.

    Raises:
        SertfError: for a parameter out of range or a waveform of no samples.
    """

    version = 1

    def __init__(
        self,
        sample_rate: int = 48000,
        *,
        n_mfcc: int = 34,
        n_chroma: int = 12,
        n_fft: int = 4096,
        hop_length: int = 2048,
        n_mels: int = 128,
        top_db: float = 80.0,
        name: str | None = None,
    ):
        super().__init__(sample_rate, name=name)
        sizes = {"sample_rate": sample_rate, "n_mfcc": n_mfcc, "n_chroma": n_chroma}
        sizes |= {"n_fft": n_fft, "hop_length": hop_length, "n_mels": n_mels}
        spectral.check_sizes("MfccChroma", **sizes, top_db=top_db)
        if n_mfcc > n_mels:
            raise SertfError(f"MfccChroma: n_mfcc must be at most n_mels ({n_mels}), got {n_mfcc}.")
        self.n_mfcc = n_mfcc
        self.n_chroma = n_chroma
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.top_db = float(top_db)
        self.feature_names = [f"mfcc_{i}" for i in range(n_mfcc)] + [f"chroma_{i}" for i in range(n_chroma)]
        self.feature_shape = (None, n_mfcc + n_chroma)

    def build(self, waveform_shape):
        bank = {"sample_rate": self.sample_rate, "n_fft": self.n_fft}
        mel = spectral.mel_filters(**bank, n_mels=self.n_mels)
        chroma = spectral.chroma_filters(**bank, n_chroma=self.n_chroma)
        # Side by side, so that the power spectrogram is read once.
        self._filters = np.concatenate([mel, chroma], axis=1)  # (n_fft // 2 + 1, n_mels + n_chroma)
        self._window = spectral.window("hann", self.n_fft)
        self._dct = spectral.dct_matrix(self.n_mels, self.n_mfcc)
        self.built = True

    @property
    def dimension_groups(self) -> list[tuple[str, int]]:
        return [counted("MFCC", self.n_mfcc), counted("chroma", self.n_chroma)]

    def frames(self, lengths):
        """Own frames of utterances of `lengths` samples: 1 + lengths // hop_length (ints, arrays or tensors)."""
        return spectral.centred_frames(lengths, self.hop_length)

    def features(self, waveform, lengths):
        own = spectral.own_positions(self.frames(lengths), self.frames(keras.ops.shape(waveform)[1]))
        power = spectral.power_spectrogram(waveform, self._window, n_fft=self.n_fft, hop_length=self.hop_length)
        bands = keras.ops.matmul(power, self._filters)  # (batch, frames, n_mels + n_chroma)
        mel, chroma = bands[:, :, : self.n_mels], bands[:, :, self.n_mels :]
        mfcc = keras.ops.matmul(spectral.power_to_db(mel, own_frames=own, top_db=self.top_db), self._dct)
        return keras.ops.concatenate(
            [mfcc, spectral.scale_to_peak(chroma)], axis=-1
        )  # (batch, frames, n_mfcc + n_chroma)
