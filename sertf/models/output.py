"""The last layer that the models share."""

from typing import Any

import keras


def softmax_scores(x: keras.KerasTensor, num_classes: int, **options: Any) -> keras.KerasTensor:
    """Scores (batch, num_classes) that sum to 1, by a dense layer with softmax of the name "scores".

    float32 under any policy: probabilities need it, and what reads them knows nothing of half precision.
    """
    return keras.layers.Dense(num_classes, activation="softmax", dtype="float32", name="scores", **options)(x)
