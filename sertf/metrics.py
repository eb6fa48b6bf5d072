"""Streaming Keras metrics. Their state is counts: many batches give the same score as all rows at once."""

from typing import Any

import keras
from keras import ops

from sertf.errors import SertfError


@keras.saving.register_keras_serializable(package="sertf")
class UnweightedAverageRecall(keras.metrics.Metric):
    """Unweighted average recall (UAR): the mean recall over classes.

    UAR = 1/|K| · sum over k in K of hits_k / total_k. K holds the classes that occur among the labels since the last
    reset. A class without utterances has no recall and is left out. This is the score of the INTERSPEECH
    paralinguistics challenges (Schuller et al. 2009), and equals scikit-learn's balanced accuracy.

    Call it with integer labels (batch,) or (batch, 1), from 0 to num_classes - 1, or with shares of the
    classes (batch, num_classes), whose largest is the label, and with scores (batch, num_classes). Only the largest score
    of a row counts. Optional weights are (batch,) or (batch, 1). Without rows, and where all weights
    are zero, the result is 0.

    Args:
        num_classes: number of classes, 2 or more.
        name: name of the metric in logs.
        dtype: dtype of the counts; float32 counts exactly up to 16.7 million rows a class.

    Raises:
        SertfError: if num_classes is not an integer of 2 or more.
    """

    def __init__(self, num_classes: int, name: str = "uar", dtype: str | None = None):
        super().__init__(name=name, dtype=dtype)
        if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < 2:
            raise SertfError(f"num_classes must be an integer of 2 or more, got {num_classes!r}.")
        self.num_classes = num_classes
        self.hits = self.add_variable(shape=(num_classes,), initializer="zeros", name="hits")
        self.totals = self.add_variable(shape=(num_classes,), initializer="zeros", name="totals")

    def update_state(self, y_true, y_pred, sample_weight=None):
        if len(y_true.shape) == 2 and y_true.shape[1] == self.num_classes:
            y_true = ops.argmax(y_true, axis=-1)
        labels = ops.cast(ops.reshape(y_true, (-1,)), "int32")  # (batch,)
        predicted = ops.cast(ops.argmax(y_pred, axis=-1), "int32")  # (batch,)
        rows = ops.one_hot(labels, self.num_classes, dtype=self.dtype)  # (batch, classes)
        if sample_weight is not None:
            weights = ops.cast(ops.reshape(sample_weight, (-1, 1)), self.dtype)
            rows = rows * weights
        correct = ops.cast(ops.expand_dims(ops.equal(labels, predicted), -1), self.dtype)  # (batch, 1)
        self.hits.assign_add(ops.sum(rows * correct, axis=0))
        self.totals.assign_add(ops.sum(rows, axis=0))

    def result(self):
        present = ops.cast(self.totals > 0, self.dtype)
        recall = ops.divide_no_nan(self.hits, self.totals)
        return ops.divide_no_nan(ops.sum(recall * present), ops.sum(present))

    def get_config(self) -> dict[str, Any]:
        return {"num_classes": self.num_classes, "name": self.name, "dtype": self.dtype}
