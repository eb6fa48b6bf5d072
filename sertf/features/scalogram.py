"""Wavelet-scaled spectrogram of a fixed window: the input of the CNN-LSTM (wavelet_cnn_lstm, TS 2025)."""

import keras
import numpy as np

from sertf.errors import SertfError, check_finite, check_whole
from sertf.features.front_end import FrontEnd, counted
from sertf.layers import spectral, wavelets

COLOURS = ("power", "rgb")
CHANNELS = ("red", "green", "blue")
# Families that mean nothing without their parameters, and how they are written.
PARAMETRIC = {"cmor": "cmor1.5-1.0", "fbsp": "fbsp1-1.5-1.0", "shan": "shan1.5-1.0"}
# A wavelet whose response at 0 Hz reaches this share of its peak is a low-pass: no frequency belongs to its scales.
LARGEST_SHARE_AT_ZERO = 0.5


@keras.saving.register_keras_serializable("sertf")
class Scalogram(FrontEnd):
    """Power of a continuous wavelet transform in decibels, over time and scale, of a window of fixed length.

    CNN-LSTM on wavelet-scaled spectrograms (TS 2025, section 3.1): 16 kHz, unit RMS, 8 s. The logarithm of the wavelet
    coefficients' power over time and scale is drawn as an RGB image. The paper gives neither the size of the image nor
    scales, wavelet, floor or colours. Our choices are 256 time bins, 128 scales spaced evenly in log frequency, the
    Morlet wavelet, 80 dB under the utterance's maximum, and matplotlib's jet.

    The utterance is scaled to unit RMS over its own samples, then padded with zeros or cut to the window, centred.
    `sertf.audio.augmentation.RandomCut` does it at random, for training. Exact zeros at the clip's start and end are
    padding, whoever added them, and do not count in the RMS. So an utterance padded at random is as loud as one padded
    here. A clip of zeros stays zero, and its power is at the floor of 1e-10 (-100 dB) everywhere.

    Coefficients are those of `pywt.cwt(window, scales, wavelet, method="fft")`. Their squared magnitudes are averaged in
    each time bin before the logarithm; `sertf.layers.wavelets.Bank` defines the bins. Values agree within 1e-4 relative
    down to 60 dB under the utterance's maximum, and 4e-4 (0.002 dB) down to 80 dB.

    PyWavelets reads the wavelet from a grid of 2**precision points without interpolation. At its default of 12 large
    scales respond to high frequencies as well. A tenth of the Morlet wavelet's energy at 64 Hz lies above 140 Hz. At 16
    that is 0.03 %. Speed does not depend on it.

    PyWavelets multiplies the coefficients of a scale a by 1/√a, the paper prints 1/a (section 3.1). `factor` chooses.
    With 1/a power falls by 3 dB an octave towards low frequencies, against PyWavelets.

    Colours are those of `matplotlib`, interpolated between the 256 of the map. The utterance's smallest value gets the
    map's first colour and its largest the last, as in `imshow`.

    Args:
        sample_rate: Hz of the waveforms.
        duration_seconds: length of the window.
        n_scales: scales, from `fmin` to `fmax`.
        n_bins: time bins over the window, at most its samples.
        fmin: Hz of the first scale; its wavelet must fit into the window.
        fmax: Hz of the last scale, at most half the sample rate.
        wavelet: name of a continuous wavelet of PyWavelets ("morl", "mexh", "gaus4", "cmor1.5-1.0", …), which also
            defines the frequency of a scale (`pywt.scale2frequency`). A larger bandwidth, as in "cmor12-1.0", parts
            neighbouring harmonics better.
        precision: the wavelet is read from a grid of 2**precision points, 8 to 20.
        top_db: decibels under the utterance's maximum at which values are cut off.
        colour: "power", one value a bin and scale, or "rgb", red, green and blue of it from 0 to 1.
        colour_map: name of a matplotlib colour map, for "rgb".
        factor: "1/sqrt(a)", as PyWavelets, or "1/a", as the paper prints; a is the scale in samples.

    Call arguments:
        waveform: (batch, samples) float32; rows shorter than the longest are padded at the end.
        lengths: (batch,) integers, the true samples of each row; None if all of them are.

    Returns:
        (batch, n_bins, n_scales) float32 decibels. For "rgb" (batch, n_bins, n_scales * 3), the colours of a scale side
        by side: a reshape to (n_bins, n_scales, 3) gives the image.

    Raises:
        SertfError: for a parameter out of range, an unknown wavelet or colour map, or a waveform of no samples.
    """

    version = 1
    # It reads no fixed span: its RMS is the whole utterance's.
    reads_middle = True
    added_later = ("factor",)

    def __init__(
        self,
        sample_rate: int = 16000,
        *,
        duration_seconds: float = 8.0,
        n_scales: int = 128,
        n_bins: int = 256,
        fmin: float = 64.0,
        fmax: float = 8000.0,
        wavelet: str = "morl",
        precision: int = 12,
        top_db: float = 80.0,
        colour: str = "power",
        colour_map: str = "jet",
        factor: str = "1/sqrt(a)",
        name: str | None = None,
    ):
        super().__init__(sample_rate, name=name)
        # Under TensorFlow silent blocks are left out, which XLA's fixed shapes cannot.
        self.supports_jit = keras.backend.backend() != "tensorflow"
        check_whole("Scalogram", sample_rate=sample_rate, n_scales=n_scales, n_bins=n_bins, precision=precision)
        if not 8 <= precision <= 20:
            raise SertfError(f"Scalogram: precision must lie between 8 and 20, got {precision}.")
        spectral.check_decibels("Scalogram", top_db=top_db)
        check_finite("Scalogram", duration_seconds=duration_seconds, fmin=fmin, fmax=fmax)
        self.duration_seconds = float(duration_seconds)
        self.n_scales = n_scales
        self.n_bins = n_bins
        self.fmin = float(fmin)
        self.fmax = float(fmax)
        self.wavelet = wavelet
        self.precision = precision
        self.top_db = float(top_db)
        self.colour = colour
        self.colour_map = colour_map
        self.factor = factor
        if not self.duration_samples >= n_bins:
            raise SertfError(
                f"Scalogram: n_bins must be at most the {self.duration_samples} samples of duration_seconds="
                f"{duration_seconds:g} at {sample_rate} Hz, got {n_bins}."
            )
        if not 0 < fmin < fmax <= sample_rate / 2:
            raise SertfError(
                f"Scalogram: fmin and fmax must rise from above 0 to at most half the sample rate, {sample_rate / 2:g} "
                f"Hz, got fmin={fmin:g} and fmax={fmax:g}."
            )
        if factor not in wavelets.FACTORS:
            raise SertfError(f"Scalogram: factor must be one of {', '.join(wavelets.FACTORS)}, got {factor!r}.")
        if colour not in COLOURS:
            raise SertfError(f"Scalogram: colour must be one of {', '.join(COLOURS)}, got {colour!r}.")
        if colour == "rgb":
            _colour_table(colour_map)
        self.frequencies = np.geomspace(fmin, fmax, n_scales)
        known = _known_wavelet(wavelet, precision)
        self._filters = wavelets.filters(known, self.scales, precision=precision, factor=factor)
        longest = max(len(taps) for taps, _ in self._filters)
        if longest > self.duration_samples:
            raise SertfError(
                f"Scalogram: fmin={fmin:g} Hz makes the wavelet {wavelet} {longest} samples long, more than the "
                f"{self.duration_samples} of duration_seconds; raise fmin or duration_seconds."
            )
        self.feature_names = [f"scale_{i}" for i in range(n_scales)]
        if colour == "rgb":
            self.feature_names = [f"{name}_{channel}" for name in self.feature_names for channel in CHANNELS]
        self.feature_shape = (n_bins, len(self.feature_names))

    @property
    def duration_samples(self):
        return round(self.duration_seconds * self.sample_rate)

    @property
    def scales(self):
        """The wavelet's scales at `frequencies`, (n_scales,), as `pywt.cwt` takes them."""
        import pywt

        return pywt.frequency2scale(self.wavelet, self.frequencies / self.sample_rate, precision=self.precision)

    @property
    def dimension_groups(self) -> list[tuple[str, int]]:
        label, size = counted("scale", self.n_scales)[0], self.feature_shape[1]
        return [(label if self.colour == "power" else f"{label}, red to blue", size)]

    @property
    def frame_step_seconds(self) -> float:
        return self.duration_seconds / self.n_bins

    def build(self, waveform_shape):
        self._bank = wavelets.bank(self._filters, samples=self.duration_samples, bins=self.n_bins)
        self._table = _colour_table(self.colour_map) if self.colour == "rgb" else None
        self.built = True

    def features(self, waveform, lengths):
        window = _centred(_unit_rms(waveform), lengths, self.duration_samples)
        power = wavelets.pooled_power(window, self._bank)  # (batch, n_bins, n_scales)
        decibels = spectral.power_to_db(power, top_db=self.top_db)
        return decibels if self.colour == "power" else self._coloured(decibels)

    def _coloured(self, decibels):
        """Colours of (batch, n_bins, n_scales), (batch, n_bins, n_scales * 3)."""
        lowest = keras.ops.min(decibels, axis=(1, 2), keepdims=True)
        spread = keras.ops.max(decibels, axis=(1, 2), keepdims=True) - lowest
        place = (decibels - lowest) / keras.ops.where(spread > 0, spread, 1.0) * (len(self._table) - 1)
        below = keras.ops.cast(keras.ops.floor(place), "int32")
        above = keras.ops.minimum(below + 1, len(self._table) - 1)
        share = (place - keras.ops.floor(place))[..., None]
        colours = [keras.ops.take(self._table, index, axis=0) for index in (below, above)]  # (batch, bins, scales, 3)
        return keras.ops.reshape((1 - share) * colours[0] + share * colours[1], (-1, *self.feature_shape))


def _unit_rms(waveform):
    """(batch, samples) at an RMS of 1 between each row's first and last sample that is not 0; zeros stay zeros."""
    samples = keras.ops.shape(waveform)[1]
    positions = keras.ops.arange(samples, dtype="int32")[None]
    sounding = keras.ops.not_equal(waveform, 0)
    first = keras.ops.min(keras.ops.where(sounding, positions, samples), axis=1)
    last = keras.ops.max(keras.ops.where(sounding, positions, -1), axis=1)
    count = keras.ops.cast(keras.ops.maximum(last - first + 1, 1), "float32")
    mean_square = keras.ops.sum(keras.ops.square(waveform), axis=1) / count
    return waveform / keras.ops.sqrt(keras.ops.maximum(mean_square, float(np.finfo("float32").tiny)))[:, None]


def _centred(waveform, lengths, samples):
    """The middle of each row's own `lengths` samples, or the row between zeros: (batch, samples)."""
    given = keras.ops.shape(waveform)[1]
    excess = lengths - samples
    start = keras.ops.where(excess > 0, excess // 2, -((-excess) // 2))
    source = keras.ops.arange(samples, dtype="int32")[None] + start[:, None]  # (batch, samples)
    own = (source >= 0) & (source < lengths[:, None])
    rows = keras.ops.arange(keras.ops.shape(waveform)[0], dtype="int32")[:, None]
    # One index into all rows: several times faster than taking along an axis.
    flat = keras.ops.take(keras.ops.reshape(waveform, (-1,)), rows * given + keras.ops.clip(source, 0, given - 1))
    return spectral.keep_own(flat, own)


def _known_wavelet(name, precision):
    """PyWavelets' wavelet of a name, refused unless it is continuous and its scales have a frequency."""
    import pywt

    if isinstance(name, str) and name in PARAMETRIC:
        raise SertfError(f"Scalogram: wavelet {name!r} needs parameters in its name, such as {PARAMETRIC[name]!r}.")
    try:
        wavelet = pywt.ContinuousWavelet(name)
        values = wavelet.wavefun(level=precision)[0]
    except (ValueError, TypeError, AttributeError) as error:
        known = [PARAMETRIC.get(known, known) for known in pywt.wavelist(kind="continuous")]
        raise SertfError(
            f"Scalogram: wavelet must be a continuous one of PyWavelets with parameters above 0 ({', '.join(known)}), "
            f"got {name!r}."
        ) from error
    response = np.abs(np.fft.fft(values))
    if not response[0] < LARGEST_SHARE_AT_ZERO * response.max():
        raise SertfError(
            f"Scalogram: wavelet {name!r} has no usable centre frequency: its response at 0 Hz is {response[0]:.3g}, its "
            f"largest {response.max():.3g}; give it a higher centre frequency."
        )
    return wavelet


def _colour_table(name):
    """The 256 colours of a matplotlib colour map, float32 (256, 3)."""
    import matplotlib

    try:
        colour_map = matplotlib.colormaps[name]
    except (KeyError, TypeError) as error:
        raise SertfError(f"Scalogram: colour_map must be one of matplotlib's, such as jet, got {name!r}.") from error
    return colour_map(np.linspace(0, 1, 256))[:, :3].astype("float32")
