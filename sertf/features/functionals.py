"""Functionals of low-level descriptors, one vector a clip: what linear models of the field read."""

import keras
import numpy as np

from sertf.errors import SertfError, is_number
from sertf.features.front_end import FrontEnd
from sertf.layers import descriptors, functionals, pitch, spectral

N_CHROMA = 12
N_CONTRASTS = 7
# The first is eGeMAPS's, from where a spectrum has energy; the next is eGeMAPS's too.
SLOPES_HZ = ((50.0, 500.0), (500.0, 1500.0), (1500.0, 5000.0))
PITCHES = ("pitch", "harmonics_to_noise")
STRETCHES = ("clip", "voiced", "first_third", "second_third", "last_third")
TIMING = ("log_seconds", "voiced_share", "voiced_starts", "pause_share", "pause_starts")
QUIETEST_RMS = 1e-5


@keras.saving.register_keras_serializable("sertf")
class Functionals(FrontEnd):
    """Statistics of low-level descriptors over the clip, its voiced frames and its thirds, one vector a clip.

    The set follows openSMILE's ComParE and eGeMAPS in spirit (Eyben et al. 2016, doi:10.1109/TAFFC.2015.2457417). It
    shares neither code nor exact sizes with them, and no licence. Descriptors of a frame, as librosa 0.11 defines them
    where it has them:

    - energy in dB, zero-crossing rate, spectral centroid, spread and roll-off in kHz, flux,
    - spectral slopes in dB a kHz over 50-500, 500-1500 and 1500-5000 Hz,
    - strength of the period (Boersma 1993), seven spectral contrasts,
    - log-mel bands, MFCC, 12 chroma,
    - and their first deltas over 9 frames.

    Voiced frames have pitch in semitones and the harmonics-to-noise ratio in dB besides. `sertf.layers.functionals` has
    the functionals. The clip and its voiced frames have them of descriptors and deltas, each third of descriptors alone.
    Five values of timing follow: seconds, and the shares and starts a second of voiced stretches and of pauses.

    Frames before the first and behind the last that comes within `silence_db` of the loudest do not count. Levels are
    absolute: a louder recording has another energy.

    Args:
        sample_rate: Hz of the waveforms; above 12800, which the contrast's bands need.
        win_length: Hann window in samples; the lowest pitch needs three periods in it.
        n_fft: FFT length in samples, even; the window and the longest period must fit in it.
        hop_length: samples from frame to frame.
        n_mels: mel bands from 0 Hz to `fmax`.
        n_mfcc: cepstral coefficients, from the zeroth on; at most `n_mels`.
        fmax: the spectrum ends here, in Hz. Resampled audio has little above 0.9 of half its rate.
        top_db: decibels kept under the clip's maximum, in the mel bands and in the contrast.
        silence_db: what lies further under the clip's loudest frame is silence.
        lowest_pitch: of speech, in Hz.
        highest_pitch: of speech, in Hz.
        voicing: strength of the period from which a frame is voiced, between 0 and 1.

    Call arguments:
        waveform: (batch, samples) float32; rows shorter than the longest are padded at the end.
        lengths: (batch,) integers, the true samples of each row; None if all of them are.

    Returns:
        (batch, 1, dims) float32, columns named by `feature_names`.

    Raises:
        SertfError: for a parameter out of range or a waveform of no samples.
    """

    version = 2

    def __init__(
        self,
        sample_rate: int = 16000,
        *,
        win_length: int = 1024,
        n_fft: int = 2048,
        hop_length: int = 160,
        n_mels: int = 40,
        n_mfcc: int = 26,
        fmax: float = 7200.0,
        top_db: float = 80.0,
        silence_db: float = 25.0,
        lowest_pitch: float = 60.0,
        highest_pitch: float = 600.0,
        voicing: float = 0.65,
        name: str | None = None,
    ):
        super().__init__(sample_rate, name=name)
        sizes = {"sample_rate": sample_rate, "win_length": win_length, "n_fft": n_fft}
        sizes |= {"hop_length": hop_length, "n_mels": n_mels, "n_mfcc": n_mfcc}
        spectral.check_sizes("Functionals", **sizes, top_db=top_db)
        if n_mfcc > n_mels:
            raise SertfError(f"Functionals: n_mfcc must be at most n_mels ({n_mels}), got {n_mfcc}.")
        if not is_number(fmax) or not 0 < fmax <= sample_rate / 2:
            raise SertfError(f"Functionals: fmax must lie between 0 and {sample_rate / 2:g} Hz, got {fmax!r}.")
        if not is_number(silence_db) or not silence_db > 0:
            raise SertfError(f"Functionals: silence_db must be above 0, got {silence_db!r}.")
        if not is_number(voicing) or not 0 < voicing < 1:
            raise SertfError(f"Functionals: voicing must lie between 0 and 1, got {voicing!r}.")
        pitches = (lowest_pitch, highest_pitch)
        if not all(map(is_number, pitches)) or not 0 < lowest_pitch < highest_pitch <= sample_rate / 4:
            raise SertfError(
                f"Functionals: lowest_pitch and highest_pitch must rise between 0 and {sample_rate / 4:g} Hz, got "
                f"{lowest_pitch!r} and {highest_pitch!r}."
            )
        if win_length < 3 * sample_rate / lowest_pitch:
            raise SertfError(
                f"Functionals: win_length must hold three periods of {lowest_pitch:g} Hz, "
                f"{int(np.ceil(3 * sample_rate / lowest_pitch))} samples, got {win_length}; raise lowest_pitch or win_length."
            )
        if n_fft < win_length + sample_rate / lowest_pitch + 2:
            raise SertfError(
                f"Functionals: n_fft must hold the window and a period of {lowest_pitch:g} Hz, "
                f"{int(np.ceil(win_length + sample_rate / lowest_pitch + 2))} samples, got {n_fft}."
            )
        self.win_length = win_length
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.n_mfcc = n_mfcc
        self.fmax = float(fmax)
        self.top_db = float(top_db)
        self.silence_db = float(silence_db)
        self.lowest_pitch = float(lowest_pitch)
        self.highest_pitch = float(highest_pitch)
        self.voicing = float(voicing)
        self._bins = int(fmax * n_fft / sample_rate) + 1
        self._bands = descriptors.contrast_bands(sample_rate=sample_rate, n_fft=n_fft, bins=self._bins)
        self.feature_names = [
            *(f"{stretch}_{entry}_{functional}" for stretch, entries in self._tables for functional, entry in entries),
            *TIMING,
        ]
        self.feature_shape = (1, len(self.feature_names))

    @property
    def descriptor_names(self) -> list[str]:
        """Descriptors of every frame, in their order."""
        return [
            *("energy", "zero_crossing_rate", "centroid", "spread", "roll_off", "flux"),
            *(f"slope_{low:g}_{high:g}_hz" for low, high in SLOPES_HZ),
            "period_strength",
            *(f"contrast_{i}" for i in range(N_CONTRASTS)),
            *(f"mel_{i}" for i in range(self.n_mels)),
            *(f"mfcc_{i}" for i in range(self.n_mfcc)),
            *(f"chroma_{i}" for i in range(N_CHROMA)),
        ]

    @property
    def _tables(self):
        """Each stretch with pairs of a functional and what it is of, in the order of the features."""

        def pairs(entries):
            return [(functional, entry) for functional in functionals.NAMES for entry in entries]

        names = self.descriptor_names
        with_deltas = [*names, *(f"delta_{name}" for name in names)]
        tables = [(stretch, pairs(with_deltas if stretch in ("clip", "voiced") else names)) for stretch in STRETCHES]
        # The clip's pitch is its voiced frames' pitch.
        tables += [(stretch, pairs(PITCHES)) for stretch in STRETCHES[1:]]
        return [*tables, ("voiced", pairs([f"delta_{name}" for name in PITCHES]))]

    @property
    def shortest_samples(self):
        """Samples that the deltas' frames need; shorter clips are taken with zeros up to it."""
        return (descriptors.DELTA_WIDTH - 1) * self.hop_length

    @property
    def dimension_groups(self) -> list[tuple[str, int]]:
        labels = [stretch.replace("_", " ") for stretch in STRETCHES]
        labels += [f"pitch, {label}" for label in labels[1:]] + ["pitch deltas"]
        groups = [(label, len(entries)) for label, (_, entries) in zip(labels, self._tables, strict=True)]
        return [*groups, ("timing", len(TIMING))]

    @property
    def frame_step_seconds(self) -> None:
        return None  # the one frame is the clip

    def build(self, waveform_shape):
        bank = {"sample_rate": self.sample_rate, "n_fft": self.n_fft}
        mel = spectral.mel_filters(**bank, n_mels=self.n_mels, fmax=self.fmax)
        chroma = spectral.chroma_filters(**bank, n_chroma=N_CHROMA)
        # Side by side, so that the power spectrogram is read once.
        self._filters = np.concatenate([mel, chroma], axis=1)[: self._bins]  # (bins, n_mels + 12)
        self._frequencies = descriptors.bin_frequencies(**bank)[: self._bins]
        self._window = spectral.window("hann", self.win_length)
        self._dct = spectral.dct_matrix(self.n_mels, self.n_mfcc)
        slopes = [descriptors.slope_weights(self._frequencies, low=low, high=high) for low, high in SLOPES_HZ]
        self._slopes = np.concatenate(slopes, axis=1)  # (bins, 3)
        self._autocorrelation = pitch.autocorrelation(
            self._window, **bank, fmin=self.lowest_pitch, fmax=self.highest_pitch, bins=self._bins
        )
        self.built = True

    def features(self, waveform, lengths):
        waveform = spectral.pad_to(waveform, self.shortest_samples)
        lengths = keras.ops.maximum(lengths, self.shortest_samples)
        counts = spectral.centred_frames(lengths, self.hop_length)
        described, pitches, sounding = self._describe(waveform, lengths, counts)
        with_deltas = keras.ops.concatenate([described, descriptors.delta(described, counts=counts)[0]], axis=-1)
        clip = functionals.between_ends(sounding)
        voiced = keras.ops.logical_and(sounding, self._strength_of(described) > self.voicing)
        thirds = functionals.thirds(clip)
        parts = [(with_deltas, clip), (with_deltas, voiced), *((described, third) for third in thirds)]
        parts += [(pitches, keras.ops.logical_and(part, voiced)) for part in (clip, *thirds)]
        # A pitch delta reads 9 frames, and all of them must have a pitch.
        parts += [(descriptors.delta(pitches, counts=counts)[0], functionals.inside(voiced, descriptors.DELTA_WIDTH))]
        step = self.hop_length / self.sample_rate
        values = [functionals.functionals(*part, frame_seconds=step) for part in parts]  # (batch, 13, dims) each
        flat = [keras.ops.reshape(value, (-1, value.shape[1] * value.shape[2])) for value in values]
        pauses = keras.ops.logical_and(clip, keras.ops.logical_not(sounding))
        flat.append(_timing(clip, voiced, pauses, step))
        return keras.ops.reshape(keras.ops.concatenate(flat, axis=-1), (-1, *self.feature_shape))

    def _describe(self, waveform, lengths, counts):
        """Descriptors of each frame (batch, frames, dims), pitch and harmonics-to-noise ratio, and the mask of sound."""
        whole = spectral.power_spectrogram(waveform, self._window, n_fft=self.n_fft, hop_length=self.hop_length)
        own = spectral.own_positions(counts, keras.ops.shape(whole)[1])
        power = whole[:, :, : self._bins]  # (batch, frames, bins)
        magnitude = keras.ops.sqrt(power)
        bands = keras.ops.matmul(power, self._filters)  # (batch, frames, n_mels + 12)
        mel_db = spectral.power_to_db(bands[:, :, : self.n_mels], own_frames=own, top_db=self.top_db)
        power_db = spectral.power_to_db(power, own_frames=own, top_db=self.top_db)
        rms = descriptors.root_mean_square(whole, n_fft=self.n_fft, window=self._window)
        energy = 20 * keras.ops.log10(keras.ops.maximum(rms, QUIETEST_RMS))
        centroid = descriptors.spectral_centroid(magnitude, self._frequencies)
        frequency, strength = pitch.pitch(power, self._autocorrelation)
        values = [
            energy,
            descriptors.zero_crossing_rate(
                waveform, lengths=lengths, frame_length=self.win_length, hop_length=self.hop_length
            ),
            centroid / 1000,
            descriptors.spectral_bandwidth(magnitude, self._frequencies, centroid) / 1000,
            descriptors.spectral_rolloff(magnitude, self._frequencies) / 1000,
            descriptors.spectral_flux(mel_db),
            keras.ops.matmul(power_db, self._slopes),
            strength,
            # Magnitudes are taken for powers there, so half the decibels keep as much.
            descriptors.spectral_contrast(magnitude, self._bands, own_frames=own, top_db=self.top_db / 2),
            mel_db,
            keras.ops.matmul(mel_db, self._dct),
            spectral.scale_to_peak(bands[:, :, self.n_mels :]),
        ]
        pitches = [pitch.semitones(frequency), pitch.harmonics_to_noise(strength)]
        loudest = keras.ops.max(keras.ops.where(own[:, :, None], energy, -np.inf), axis=1, keepdims=True)
        sounding = keras.ops.logical_and((energy >= loudest - self.silence_db)[:, :, 0], own)
        return keras.ops.concatenate(values, axis=-1), keras.ops.concatenate(pitches, axis=-1), sounding

    def _strength_of(self, described):
        return described[:, :, self.descriptor_names.index("period_strength")]


def _timing(clip, voiced, pauses, step):
    """The values of `TIMING`, (batch, 5)."""
    frames = _count(clip)
    values = [keras.ops.log(frames * step)]
    for part in (voiced, pauses):
        before = keras.ops.pad(part[:, :-1], [[0, 0], [1, 0]])  # no frame lies before the first
        starts = keras.ops.logical_and(part, keras.ops.logical_not(before))
        values += [_count(part) / frames, _count(starts) / (frames * step)]
    return keras.ops.concatenate(values, axis=-1)


def _count(mask):
    return keras.ops.sum(keras.ops.cast(mask, "float32"), axis=1, keepdims=True)
