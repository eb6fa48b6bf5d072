"""From a fold and cached features to the batches of a fit.

Scaling is fitted here, on the rows that the protocol allows. Batches hold utterances of similar length, or random ones,
padded with zeros after scaling. Models mask frames that are zero throughout, so padding has no effect.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sertf.evaluation import scores
from sertf.extraction.online_copies import OnlineCopies
from sertf.training.recipe import Recipe
from sertf.training.scaling import Part, PipelineError
from sertf.training.spectrogram_augmentation import SpectrogramAugmentation, mixed

if TYPE_CHECKING:
    import keras


class Batches:
    """Batches of one part, bucketed by length unless they are random, the same for the same seed and epoch.

    Utterances are shuffled, sorted by length bucket and cut into batches, and the batches are shuffled. Each epoch has
    ceil(n / batch_size) batches of few distinct shapes, so a compiled step is seldom traced again. Random batches are
    not sorted.

    Args:
        part: the part to batch.
        batch_size: utterances a batch; the last batch may be smaller.
        seed: seed of the shuffling; None keeps the order by length, for evaluation.
        bucket_frames: batch lengths are rounded up to a multiple of this; utterances of one length are never padded.
        fresh: `sertf.extraction.online_copies.OnlineCopies` of the part, which replace its arrays.
        classes: number of emotions, for targets that are shares of the classes; None gives labels.
        class_weights: (emotions,) weights, of which each utterance gets its class's as a third of each batch.
        augmentation: what is done to the spectrograms of an epoch.
        mixup: see `sertf.training.recipe.Recipe`; needs `classes`.
        taught: (utterances, classes) probabilities of a teacher, mixed into the targets; None has no teacher.
        distillation: their share; needs `classes`.
        by_length: whether a batch holds utterances of similar length; random batches need a seed.

    Attributes:
        smallest: least size of the last batch, filled from the batch before it; 1 unless set.
    """

    def __init__(
        self,
        part: Part,
        batch_size: int,
        *,
        seed: int | None = None,
        bucket_frames: int = 16,
        fresh: OnlineCopies | None = None,
        classes: int | None = None,
        class_weights: np.ndarray | None = None,
        augmentation: SpectrogramAugmentation | None = None,
        mixup: float = 0.0,
        by_length: bool = True,
        taught: np.ndarray | None = None,
        distillation: float = 0.0,
    ):
        if len(part.utterances) == 0:
            raise PipelineError("A part of the fold is empty, so there is nothing to train or score on.")
        self.part = part
        self.batch_size = batch_size
        self.seed = seed
        self.bucket_frames = bucket_frames
        self.fresh = fresh
        self.classes = classes
        self.class_weights = class_weights
        self.augmentation = augmentation
        self.mixup = mixup
        self.taught = taught
        self.distillation = distillation
        self.by_length = by_length
        self.smallest = 1
        lengths = part.lengths
        if augmentation is not None:
            lengths = np.full(len(lengths), augmentation.frames)
        self._padded = lengths if np.ptp(lengths) == 0 else -(-lengths // bucket_frames) * bucket_frames

    def __len__(self) -> int:
        return -(-len(self.part.utterances) // self.batch_size)

    @property
    def frames(self) -> int | None:
        """Frames of every batch, None where they differ."""
        return int(self._padded[0]) if np.ptp(self._padded) == 0 else None

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Shape of a frame."""
        return self.part.arrays[0].shape[1:]

    def order(self, epoch: int = 0) -> list[np.ndarray]:
        """Index arrays of the epoch's batches."""
        if self.seed is None:
            order = np.argsort(self._padded, kind="stable")
        else:
            rng = np.random.default_rng([self.seed, epoch])
            order = rng.permutation(len(self._padded))
            if self.by_length:
                order = order[np.argsort(self._padded[order], kind="stable")]
        cuts = [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]
        lacking = self.smallest - len(cuts[-1])
        if lacking > 0 and len(cuts) > 1:
            cuts[-2:] = np.split(np.concatenate(cuts[-2:]), [len(cuts[-2]) - lacking])
        if self.seed is not None:
            cuts = [cuts[i] for i in rng.permutation(len(cuts))]
        return cuts

    def batch(self, indices: np.ndarray, epoch: int = 0) -> tuple[np.ndarray, ...]:
        """One batch of an epoch.

        Returns:
            Features, (batch, padded frames, dims) float32; labels, (batch,) int32, or targets, (batch, classes) float32;
            and with class weights the utterances' own, (batch,) float32.
        """
        arrays = [self._array(i, epoch) for i in indices]
        labels = self.part.labels[indices]
        # Of this batch: the others of the epoch begin with other utterances.
        rng = np.random.default_rng([self.seed or 0, epoch, int(indices[0]), 1])
        if self.augmentation is not None:
            features = self.augmentation.apply(arrays, rng)
        else:
            features = np.zeros((len(indices), self._padded[indices].max(), *self.shape), np.float32)
            for row, array in zip(features, arrays):
                row[: len(array)] = array
        if self.classes is None:
            return (features, labels, *self._weights(labels))
        targets = np.eye(self.classes, dtype=np.float32)[labels]
        if self.taught is not None:
            share = np.float32(self.distillation)
            targets = (1 - share) * targets + share * self.taught[indices].astype(np.float32)
        if self.mixup:
            features, targets = mixed(features, targets, self.mixup, rng)
        return (features, targets, *self._weights(targets))

    def _array(self, index, epoch):
        utterance = self.part.utterances[index]
        if self.fresh is not None and utterance in self.fresh:
            return self.fresh.draw(utterance, epoch)
        return self.part.arrays[index]

    def _weights(self, targets):
        """The weights of labels or targets, as a row of one; an empty one without class weights."""
        if self.class_weights is None:
            return ()
        return (self.class_weights[targets] if targets.ndim == 1 else targets @ self.class_weights,)


def as_dataset(batches: Batches, *, first_epoch: int = 0) -> Any:
    """The dataset for `fit` and `evaluate`: a tf.data.Dataset on the TensorFlow backend, a PyDataset elsewhere.

    Both give the same batches in the same order, pass after pass. The second needs no TensorFlow, so JAX trains without
    it. Each pass over the dataset is the next epoch, from `first_epoch` on. Under JAX, Keras ends one epoch before it
    trains. There `fit` sees the epochs from `first_epoch` + 1 on, also when it resumes.
    """
    import keras

    make = _tf_dataset if keras.backend.backend() == "tensorflow" else _py_dataset
    return make(batches, first_epoch)


def _tf_dataset(batches, first_epoch):
    import tensorflow as tf

    epochs = iter(range(first_epoch, 1 << 62))

    def one_epoch():
        epoch = next(epochs)
        for indices in batches.order(epoch):
            yield batches.batch(indices, epoch)

    # A graph with a known number of frames can shape itself by it, as SpeechNet's does.
    steps, shape = batches.frames, batches.shape
    signature = [tf.TensorSpec((None, steps, *shape), tf.float32)]
    if batches.classes is None:
        signature.append(tf.TensorSpec((None,), tf.int32))
    else:
        signature.append(tf.TensorSpec((None, batches.classes), tf.float32))
    if batches.class_weights is not None:
        signature.append(tf.TensorSpec((None,), tf.float32))
    dataset = tf.data.Dataset.from_generator(one_epoch, output_signature=tuple(signature))
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(batches))).prefetch(2)
    # Autotuning has nothing to tune, and its thread would delay the end of every epoch.
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _py_dataset(batches, first_epoch):
    import keras

    class BatchDataset(keras.utils.PyDataset):
        def __init__(self):
            super().__init__()
            self.epoch = first_epoch
            self.cuts = batches.order(first_epoch)

        def __len__(self):
            return len(batches)

        def __getitem__(self, index):
            return batches.batch(self.cuts[index], self.epoch)

        def on_epoch_end(self):
            self.epoch += 1
            self.cuts = batches.order(self.epoch)

    return BatchDataset()


def predict(model: "keras.Model", part: Part, *, batch_size: int = 64) -> np.ndarray | list[np.ndarray]:
    """Outputs of `model` for every utterance of `part`, in the part's order.

    Args:
        model: a Keras model of one input; several outputs give a list.

    Returns:
        One array (utterances, ...) for an output whose size does not depend on the length; list of arrays otherwise.
    """
    batches = Batches(part, batch_size)
    cuts = batches.order()
    outputs = [model.predict_on_batch(batches.batch(indices)[0]) for indices in cuts]
    inverse = np.argsort(np.concatenate(cuts), kind="stable")
    if isinstance(outputs[0], (list, tuple)):
        return [np.concatenate(column)[inverse] for column in zip(*outputs)]
    return np.concatenate(outputs)[inverse]


def utterances_at_once(recipe: Recipe | None) -> int:
    """Utterances to score at once: no more than the training batch if batches are split to fit a device's memory."""
    return 64 if recipe is None or recipe.accumulation == 1 else min(64, recipe.batch_size)


def uar_and_wa(model: "keras.Model", part: Part, batch_size: int) -> tuple[np.ndarray, dict[str, float]]:
    """Outputs of a model for a part, and their UAR and WA."""
    outputs = np.asarray(predict(model, part, batch_size=batch_size))
    chosen = outputs.argmax(axis=1)
    return outputs, {"uar": scores.uar(part.labels, chosen), "wa": scores.wa(part.labels, chosen)}
