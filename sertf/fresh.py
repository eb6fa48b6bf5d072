"""Copies of training utterances that are drawn anew in every epoch, from waveform to scaled features."""

import numpy as np

from sertf import audio, cache


class FreshCopies:
    """Augmented copies made when asked for; the clean waveforms are held in memory, read when first asked for.

    Args:
        copies: mapping of a copy's name to the path of its recording and its number.
        front_end: layer of `sertf.features`.
        augmentation: `sertf.augmentation.Augmentation`.
        scaling: function of features, (frames, dims).
        seed: of the run; a copy is the same for the same seed, epoch, recording and number.
    """

    def __init__(self, copies, front_end, augmentation, scaling, *, seed):
        self.copies = copies
        self.front_end = front_end
        self.augmentation = augmentation
        self.scaling = scaling
        self.seed = seed
        self._compute = cache.compiled(front_end)
        self._clips = {}

    def __contains__(self, utterance):
        return utterance in self.copies

    def draw(self, utterance, epoch):
        """Scaled features of a copy in an epoch, (frames, dims) float32."""
        path, copy = self.copies[utterance]
        if path not in self._clips:
            samples, rate = audio.read(path, sample_rate=self.front_end.sample_rate)
            self._clips[path] = samples, rate, audio.digest(samples, rate)
        samples, rate, digest = self._clips[path]
        seed = np.random.SeedSequence([self.seed, epoch]).generate_state(1)[0]
        samples = cache.altered(self.front_end, self.augmentation, int(seed), copy, samples, digest)
        features = self._compute(*cache.pad_clip(samples, rate))[0]
        return self.scaling(features[: self.front_end.frames(len(samples))])
