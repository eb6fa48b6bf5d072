"""A front end of a user's own, and some that nothing can be trained on, as `sertf.features.find` imports them."""

import keras
import numpy as np

from sertf.features import FrontEnd, MfccChroma


class Energy(FrontEnd):
    """Logarithm of the mean square of each window, times a constant."""

    def __init__(self, sample_rate=16000, window=400, name=None):
        super().__init__(sample_rate, name=name)
        self.window = window
        self.feature_shape = (None, 1)

    def build(self, waveform_shape):
        self._factor = np.float32(0.1)
        self.built = True

    def frames(self, lengths):
        return 1 + lengths // self.window

    def features(self, waveform, lengths):
        waveform = keras.ops.pad(waveform, [[0, 0], [0, self.window]])
        frames = keras.ops.shape(waveform)[1] // self.window
        windows = keras.ops.reshape(waveform[:, : frames * self.window], (-1, frames, self.window))
        return self._factor * keras.ops.log(keras.ops.mean(windows**2, axis=-1, keepdims=True) + 1e-6)


class Loudest(FrontEnd):
    """The largest sample of the clip, one frame of one value."""

    feature_shape = (1, 1)

    def features(self, waveform, lengths):
        return keras.ops.max(keras.ops.abs(waveform), axis=1)[:, None, None]


class Shapeless(Energy):
    def __init__(self, sample_rate=16000, name=None):
        super().__init__(sample_rate, name=name)
        self.feature_shape = (None, None)


class Forgetful(Energy):
    def __init__(self, sample_rate=16000, width=3, name=None):
        super().__init__(sample_rate, name=name)


class Twisting(Energy):
    def __init__(self, sample_rate=16000, window=400, name=None):
        super().__init__(sample_rate, window + 1, name=name)


class Keeping(Energy):
    def __init__(self, sample_rate=16000, window=400, name=None):
        super().__init__(sample_rate, window, name=name)
        self.window = np.int64(window)


class Demanding(Energy):
    def __init__(self, window, name=None):
        super().__init__(16000, window, name=name)


class Versioned(Energy):
    def __init__(self, sample_rate=16000, version=1, name=None):
        super().__init__(sample_rate, name=name)


class Passing(MfccChroma):
    def __init__(self, emphasis=0.97, **options):
        super().__init__(**options)
        self.emphasis = emphasis


class Banded(Energy):
    """A list among its arguments, which Keras tracks."""

    def __init__(self, sample_rate=16000, factors=(1.0, 2.0), name=None):
        super().__init__(sample_rate, name=name)
        self.factors = factors
        self.feature_shape = (None, len(factors))

    def features(self, waveform, lengths):
        energy = super().features(waveform, lengths)
        return keras.ops.concatenate([factor * energy for factor in self.factors], axis=-1)


class Joining(Banded):
    """Takes a tuple alone."""

    def __init__(self, sample_rate=16000, factors=(1.0, 2.0), name=None):
        super().__init__(sample_rate, factors, name=name)
        self._edges = (0.0,) + factors  # noqa: RUF005


class Telling(Banded):
    """Features by the kind of what it is given, which a manifest does not keep."""

    def features(self, waveform, lengths):
        return super().features(waveform, lengths) * (2.0 if isinstance(self.factors, tuple) else 1.0)


class Long(Energy):
    minimum_samples = 0.1


class Spanning(Energy):
    span = (0.0, 400.0)


class Reporting(Energy):
    reports_cuts = True


class Middle(Energy):
    reads_middle = True


class Weighted(Energy):
    def build(self, waveform_shape):
        super().build(waveform_shape)
        self.scale = self.add_weight(shape=(), name="scale")


class Fractional(Energy):
    def frames(self, lengths):
        return lengths / self.window


class Frameless(Energy):
    def frames(self, lengths):
        return lengths // 100_000


class Miscounting(Energy):
    def frames(self, lengths):
        return 2 + lengths // self.window


class Undefined(Energy):
    def features(self, waveform, lengths):
        return keras.ops.log(super().features(waveform, lengths) - 100)


class Padded(Energy):
    """The mean over the padding too."""

    def features(self, waveform, lengths):
        energy = super().features(waveform, lengths)
        return energy - keras.ops.mean(energy, axis=1, keepdims=True)


class Leaking(Energy):
    """A small value of the padding too beside a large one."""

    def __init__(self, sample_rate=16000, name=None):
        super().__init__(sample_rate, name=name)
        self.feature_shape = (None, 2)

    def features(self, waveform, lengths):
        energy = super().features(waveform, lengths)
        share = keras.ops.mean(keras.ops.abs(waveform), axis=1)[:, None, None] + keras.ops.zeros_like(energy)
        return keras.ops.concatenate([1000 + energy, share], axis=-1)


class Unframed(FrontEnd):
    feature_shape = (None, 1)

    def features(self, waveform, lengths):
        return waveform[:, :, None]


class Empty(FrontEnd):
    feature_shape = (1, 1)


not_a_class = 3
