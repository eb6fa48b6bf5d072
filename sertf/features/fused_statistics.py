"""Means of 107 descriptors: the input of SpeechNet (BSPC 2025)."""

import keras
import numpy as np

from sertf.errors import SertfError, is_number
from sertf.features.front_end import FrontEnd, counted
from sertf.layers import descriptors, spectral

N_MFCC = 26
N_CHROMA = 12
NAMES = (
    *(f"{prefix}mfcc_{i}" for prefix in ("", "delta_", "delta2_") for i in range(N_MFCC)),
    *(f"chroma_{i}" for i in range(N_CHROMA)),
    *(f"contrast_{i}" for i in range(7)),
    *(f"tonnetz_{i}" for i in range(6)),
    "zero_crossing_rate",
    "centroid",
    "roll_off",
    "bandwidth",
)


@keras.saving.register_keras_serializable("sertf")
class FusedStatistics(FrontEnd):
    """Means of 107 spectral and temporal descriptors, over the utterance or over equal segments of it.

    SpeechNet (BSPC 2025) names its fusion features and their number, 107, but neither their sizes nor the windows. This
    composition gives 107:

    - 26 MFCC and their first and second deltas (9 frames),
    - 12 chroma, 7 spectral contrasts, 6 tonnetz,
    - zero-crossing rate, spectral centroid, roll-off and bandwidth (the last three in Hz).

    Each is computed with librosa 0.11's defaults: periodic Hann windows of 2048 samples every 512, frames centred with
    zero padding. The paper names pitch in two lists and defines it nowhere, so it is left out. Three definitions differ:

    - The paper prints a delta as the difference of the neighbouring frames (eq. 17 and 18). librosa fits a polynomial to
      9 frames.
    - It prints a chroma as a sum (eq. 20). librosa divides by the frame's largest.
    - It prints a contrast as a difference of magnitudes (eq. 21). librosa's is one of decibels.

    Chroma's tuning is fixed at 0. Tonnetz uses this chroma, not a constant-Q one. The default rate is EmoDB's: at
    librosa's 22050 Hz the highest contrast would measure the resampler's empty band.

    Agrees with librosa to 1e-3 of a descriptor's range. The transform is float64, as librosa's. In float32 the contrast of
    an all but empty band, 100 dB under the peak, deviates by some decibels.

    `segments=1` is the mean over the utterance's own frames, the paper's x in R^m (eq. 7). `segments=64` gives the means
    over 64 equal stretches of them, its 64 time points (eq. 8). Frames on the edge of two segments count in each by
    their share, so short utterances fill all segments too. The deltas need 9 frames: a shorter utterance is read with
    the zeros behind it up to 9 frames (8 hops).

    Args:
        sample_rate: Hz of the waveforms; above 12800, which the contrast's bands need.
        segments: equal stretches of time, each described by its means.
        n_fft: window and FFT length in samples, even.
        hop_length: samples from frame to frame.
        n_mels: mel bands between 0 Hz and half the sample rate, at least 26.
        top_db: decibels under the utterance's maximum at which the mel bands and the contrast are cut off.
        fmax: the spectrum ends here, in Hz; half the sample rate if None. Audio resampled to this rate has little above
            0.9 of that half, audio recorded at it has more. Contrast and MFCC tell the two apart. To recognize audio of
            other rates, end the spectrum below.
        roll_share: share of the magnitudes that lies under the roll-off, between 0 and 1.

    Call arguments:
        waveform: (batch, samples) float32; rows shorter than the longest are padded at the end.
        lengths: (batch,) integers, the true samples of each row; None if all of them are.

    Returns:
        (batch, segments, 107) float32, columns named by `feature_names`.

    Raises:
        SertfError: for a parameter out of range or a waveform of no samples.
    """

    version = 1

    def __init__(
        self,
        sample_rate: int = 16000,
        *,
        segments: int = 1,
        n_fft: int = 2048,
        hop_length: int = 512,
        n_mels: int = 128,
        top_db: float = 80.0,
        roll_share: float = 0.85,
        fmax: float | None = None,
        name: str | None = None,
    ):
        super().__init__(sample_rate, name=name)
        sizes = {"sample_rate": sample_rate, "segments": segments, "n_fft": n_fft}
        sizes |= {"hop_length": hop_length, "n_mels": n_mels}
        spectral.check_sizes("FusedStatistics", **sizes, top_db=top_db)
        if n_mels < N_MFCC:
            raise SertfError(f"FusedStatistics: n_mels must be {N_MFCC} or more, got {n_mels}.")
        if not is_number(roll_share) or not 0 < roll_share < 1:
            raise SertfError(f"FusedStatistics: roll_share must lie between 0 and 1, got {roll_share!r}.")
        self.segments = segments
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.top_db = float(top_db)
        self.roll_share = float(roll_share)
        self.feature_names = list(NAMES)
        self.feature_shape = (segments, len(NAMES))
        if fmax is not None and not (is_number(fmax) and 0 < fmax <= sample_rate / 2):
            raise SertfError(f"FusedStatistics: fmax must lie between 0 and {sample_rate / 2:g} Hz, got {fmax!r}.")
        self.fmax = None if fmax is None else float(fmax)
        self._bins = n_fft // 2 + 1 if fmax is None else int(fmax * n_fft / sample_rate) + 1
        self._bands = descriptors.contrast_bands(sample_rate=sample_rate, n_fft=n_fft, bins=self._bins)

    @property
    def shortest_samples(self):
        """Samples that the deltas' frames need; shorter utterances are filled up with zeros."""
        return (descriptors.DELTA_WIDTH - 1) * self.hop_length

    @property
    def dimension_groups(self) -> list[tuple[str, int]]:
        sizes = {
            "MFCC": N_MFCC,
            "first delta": N_MFCC,
            "second delta": N_MFCC,
            "chroma": 12,
            "contrast": 7,
            "tonnetz": 6,
        }
        sizes["other"] = 4  # zero crossings, centroid, roll-off, bandwidth
        return [counted(label, size) for label, size in sizes.items()]

    @property
    def frame_step_seconds(self) -> None:
        return None  # a segment is a share of the clip

    def build(self, waveform_shape):
        bank = {"sample_rate": self.sample_rate, "n_fft": self.n_fft}
        mel = spectral.mel_filters(**bank, n_mels=self.n_mels, fmax=self.fmax)
        chroma = spectral.chroma_filters(**bank, n_chroma=N_CHROMA)
        # Side by side, so that the power spectrogram is read once.
        self._filters = np.concatenate([mel, chroma], axis=1)[: self._bins]  # (bins, n_mels + 12)
        self._frequencies = descriptors.bin_frequencies(**bank)[: self._bins]
        # The contrast's valleys in bands without speech lie under the rounding of a float32 transform.
        self._window = spectral.window("hann", self.n_fft, "float64")
        self._dct = spectral.dct_matrix(self.n_mels, N_MFCC)
        self.built = True

    def features(self, waveform, lengths):
        waveform = spectral.pad_to(waveform, self.shortest_samples)
        lengths = keras.ops.maximum(lengths, self.shortest_samples)
        counts = spectral.centred_frames(lengths, self.hop_length)
        described = self._describe(waveform, lengths, counts)
        return descriptors.segment_means(described, counts=counts, segments=self.segments)  # (batch, segments, 107)

    def _describe(self, waveform, lengths, counts):
        """The descriptors of each frame, (batch, frames, 107); what stands beyond a row's own frames does not count."""
        power = spectral.power_spectrogram(waveform, self._window, n_fft=self.n_fft, hop_length=self.hop_length)
        power = power[:, :, : self._bins]  # (batch, frames, bins)
        magnitude = keras.ops.sqrt(power)
        own = spectral.own_positions(counts, keras.ops.shape(power)[1])
        bands = keras.ops.matmul(power, self._filters)  # (batch, frames, n_mels + 12)
        mel_db = spectral.power_to_db(bands[:, :, : self.n_mels], own_frames=own, top_db=self.top_db)
        mfcc = keras.ops.matmul(mel_db, self._dct)
        chroma = spectral.scale_to_peak(bands[:, :, self.n_mels :])
        centroid = descriptors.spectral_centroid(magnitude, self._frequencies)
        values = [
            mfcc,
            *descriptors.delta(mfcc, counts=counts),
            chroma,
            descriptors.spectral_contrast(magnitude, self._bands, own_frames=own, top_db=self.top_db),
            descriptors.tonnetz(chroma),
            descriptors.zero_crossing_rate(
                waveform, lengths=lengths, frame_length=self.n_fft, hop_length=self.hop_length
            ),
            centroid,
            descriptors.spectral_rolloff(magnitude, self._frequencies, roll_share=self.roll_share),
            descriptors.spectral_bandwidth(magnitude, self._frequencies, centroid),
        ]
        return keras.ops.concatenate(values, axis=-1)
