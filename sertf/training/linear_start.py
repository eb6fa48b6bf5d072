"""Where fine-tuning starts: the last layer at ridge regression's solution on what enters it.

A pretrained network whose last layer is random distorts its features while that layer learns (Kumar et al. 2022,
"Fine-tuning can distort pretrained features and underperform out-of-distribution", arXiv:2202.10054).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from sertf.training import batches
from sertf.training.fitted_at_once import LinearModel, of_penalty
from sertf.training.scaling import Part, Scaling

if TYPE_CHECKING:
    import keras

LAYERS = ("pooled", "embedding", "scores")
"""What a network must have: values, their `keras.layers.Normalization`, and the last dense layer."""


def start_linearly(
    model: "keras.Model",
    part: Part,
    *,
    emotions: tuple[str, ...],
    seed: int,
    speakers: Mapping[str, str] | None,
    corpora: Mapping[str, str] | None = None,
) -> None:
    """Set the normalization and the last layer of an untrained network by a training part.

    Inner folds, speakers apart, choose the penalty and a temperature, by which the scores are probabilities.

    Args:
        model: a network with `LAYERS`.
        part: the training part.
        emotions: in the order of the scores.
        seed: of the regression; changes nothing.
        speakers: utterance to speaker; None cuts the inner folds by label.
        corpora: utterance to corpus, where there are several; each counts the same within an emotion.
    """
    import keras

    pooled, normalization, scores = (model.get_layer(name) for name in LAYERS)
    values = batches.predict(keras.Model(model.inputs, pooled.output), part)  # (utterances, values)
    scaling = Scaling.fit([row[None] for row in values])
    normalization.set_weights([scaling.mean, np.square(scaling.std), np.array(len(values))])
    normalization.finalize_state()
    rows = Part(part.utterances, [scaling(row[None]) for row in values], part.labels)
    nobody = Part((), [], part.labels[:0])
    fitted = LinearModel("ridge", by_leverage=False).fit(
        {"train": rows, "validation": nobody},
        {},
        None,
        input_shape=rows.arrays[0].shape,
        emotions=emotions,
        seed=seed,
        speakers=speakers,
        corpora=corpora,
    )
    assert fitted.out_of_fold is not None, "without a validation part inner folds choose"
    _, temperature = of_penalty(rows.labels, fitted.out_of_fold)
    scores.set_weights([weight / temperature for weight in fitted.model.get_weights()])
