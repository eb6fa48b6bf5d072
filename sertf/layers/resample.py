"""Resampling inside a TensorFlow graph: any whole rates, any length, both known only when the graph runs.

TensorFlow only, because lengths that depend on values have no place in a compiled JAX function. Not imported by
`sertf.layers`, so that the layers load without TensorFlow.

The filter is that of soxr's HQ quality, which decodes the training audio: a linear phase, Kaiser windowed sinc. It
passes up to 0.91 of the lower of the two Nyquist frequencies and stops at that frequency. It acts on the
spectrum of the whole signal: one FFT at the source rate, one inverse FFT at the target rate.
"""

import functools

import numpy as np
import tensorflow as tf

# Length in samples of the lower rate, Kaiser beta, and cut-off relative to the lower Nyquist frequency. Fitted to the
# measured responses of soxr 0.1.3, HQ, from 8 and 16 to 48 kHz. Its tap counts vary a little with the ratio.
FILTER_LENGTH = 193.4
KAISER_BETA = 13.0
CUTOFF = 0.95687
PASSBAND_END = 0.905
# `sertf.audio.files.RESAMPLING_FLOOR`: what lies this far under a row's peak is the arithmetic's rounding, and becomes 0.
FLOOR = 2.0**-20
_POINTS = 1025


def resample(waveform, source_rate, target_rate):
    """Resample (batch, samples) as `sertf.audio.files.resample` does; equal rates give back the very same samples.

    Args:
        waveform: (batch, samples) float32, at least one sample.
        source_rate: Hz, scalar int32 tensor or int, above 0.
        target_rate: Hz, int above 0.

    Returns:
        (batch, `resampled_lengths(samples, ...)`) float32.
    """
    source_rate = tf.cast(source_rate, tf.int64)
    return tf.cond(
        tf.equal(source_rate, target_rate),
        lambda: waveform,
        lambda: _resample(waveform, source_rate, tf.constant(target_rate, tf.int64)),
    )


def resampled_lengths(lengths, source_rate, target_rate):
    """Samples after resampling, rounded to nearest as soxr does: any integer tensor in, the same shape int32 out."""
    lengths, source_rate = tf.cast(lengths, tf.int64), tf.cast(source_rate, tf.int64)
    return tf.cast((2 * lengths * target_rate + source_rate) // (2 * source_rate), tf.int32)


def _resample(waveform, source_rate, target_rate):
    samples = tf.shape(waveform, out_type=tf.int64)[1]
    divisor = _greatest_common_divisor(source_rate, target_rate)
    source_step, target_step = source_rate // divisor, target_rate // divisor
    # Zeros behind the signal, as many as half the filter is long, keep its end from wrapping around to its start.
    guard = _guard_samples(source_rate, target_rate)
    smooth = tf.constant(_smooth_numbers())
    steps = smooth[tf.searchsorted(smooth, [(samples + guard + source_step - 1) // source_step])[0]]
    source_size, target_size = steps * source_step, steps * target_step  # of the same duration
    spectrum = tf.signal.rfft(waveform, fft_length=[tf.cast(source_size, tf.int32)])  # (batch, bins)
    gain = _gain(tf.minimum(source_size, target_size)) * tf.cast(target_rate / source_rate, tf.float32)
    spectrum = spectrum[:, : tf.shape(gain)[0]] * tf.cast(gain, tf.complex64)
    resampled = tf.signal.irfft(spectrum, fft_length=[tf.cast(target_size, tf.int32)])
    resampled = resampled[:, : resampled_lengths(samples, source_rate, target_rate)]
    size = tf.abs(resampled)
    return tf.where(size < FLOOR * tf.reduce_max(size, axis=1, keepdims=True), 0.0, resampled)


def _guard_samples(source_rate, target_rate):
    """Half the filter's length in samples of the source."""
    return 1 + (_half_length() * source_rate) // tf.minimum(source_rate, target_rate)


def _gain(size):
    """The filter at the bins below Nyquist of an FFT of `size` samples at the lower rate, (ceil(size / 2),)."""
    response = tf.constant(_transition_response())
    bins = (size + 1) // 2
    first = tf.cast(PASSBAND_END * tf.cast(size, tf.float64) / 2, tf.int64)
    relative = 2 * tf.cast(tf.range(first, bins), tf.float64) / tf.cast(size, tf.float64)
    position = tf.cast((relative - PASSBAND_END) / (1 - PASSBAND_END) * (_POINTS - 1), tf.float32)
    position = tf.clip_by_value(position, 0, _POINTS - 1)
    left = tf.minimum(tf.cast(position, tf.int32), _POINTS - 2)
    fraction = position - tf.cast(left, tf.float32)
    transition = tf.gather(response, left) * (1 - fraction) + tf.gather(response, left + 1) * fraction
    return tf.concat([tf.ones([first]), transition], axis=0)


@functools.cache
def _transition_response():
    """Response of the Kaiser windowed sinc from `PASSBAND_END` to 1, relative to the lower Nyquist, float32."""
    time = np.linspace(-FILTER_LENGTH / 2, FILTER_LENGTH / 2, 8 * int(FILTER_LENGTH) + 1)  # samples of the lower rate
    taps = np.kaiser(len(time), KAISER_BETA) * np.sinc(CUTOFF * time)
    frequency = np.linspace(PASSBAND_END, 1, _POINTS)
    return (np.cos(np.pi * np.outer(frequency, time)) @ (taps / taps.sum())).astype("float32")


@functools.cache
def _smooth_numbers():
    """Numbers without a prime factor above 5, at most 2**31, ascending int64: sizes that an FFT is fast at."""
    powers = [np.array([base**n for n in range(32) if base**n <= 2**31], np.int64) for base in (2, 3, 5)]
    products = (powers[0][:, None] * powers[1]).ravel()
    products = (products[products <= 2**31][:, None] * powers[2]).ravel()
    return np.sort(products[products <= 2**31])


def _half_length():
    return int(np.ceil(FILTER_LENGTH / 2))


def _greatest_common_divisor(a, b):
    return tf.while_loop(lambda a, b: b > 0, lambda a, b: (b, a % b), (a, b))[0]
