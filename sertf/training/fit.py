"""One fit: seed, compile, train, keep the best weights; and its record in the run directory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sertf.errors import SertfError
from sertf.training.recipe import MONITORS, Recipe

if TYPE_CHECKING:
    import keras

WEIGHTS = ("weights.keras", "weights.joblib")
"""Files of a trained model: Keras's, and scikit-learn's."""


class RunError(SertfError):
    """A run directory that cannot be used or written."""


class Diverged(RunError):
    """A training whose loss is no longer finite."""


@dataclass(frozen=True)
class Fitted:
    """A trained model with the weights of its best epoch.

    Attributes:
        model: the Keras model.
        history: one row an epoch: epoch (from 1), loss, uar, wa, data_loss (the loss without the L2 penalty, if there is
            one), the same of the validation part (val_, missing without one), learning_rate, and watched scores.
        best_epoch: the epoch (from 1) that gave the model's weights; the last one without a monitor.
        weights_file: name of the saved model's file.
    """

    model: Any
    history: pd.DataFrame
    best_epoch: int
    weights_file: str = WEIGHTS[0]


def fit(
    build: Callable[[], "keras.Model"],
    recipe: Recipe,
    *,
    train: Any,
    validation: Any,
    num_classes: int,
    seed: int,
    class_weights: Sequence[float] | np.ndarray | None = None,
    watch: Callable[["keras.Model", "keras.Loss"], dict[str, float]] | None = None,
) -> Fitted:
    """Build, compile and train a model; the same arguments give bitwise the same weights on the same machine.

    Args:
        build: function without arguments to an uncompiled Keras model, called after seeding. It applies the recipe's
            dropout and precision, see `sertf.training.network.build_network`.
        recipe: `sertf.training.recipe.Recipe`.
        train: dataset of (features, labels) batches with a length.
        validation: the same, in fixed order; None if the protocol has no validation part.
        num_classes: number of emotions.
        seed: seed of weights, dropout and everything that Keras draws.
        class_weights: (num_classes,) weights of the classes, for the loss "balanced_margin".
        watch: function of the model and its loss to a dict of column and value, called after each epoch. The history
            records it; it never decides which weights are kept.

    Returns:
        Fitted.
    """
    import keras

    from sertf.metrics import UnweightedAverageRecall

    _seed(seed)
    model = build()
    if len(train) * recipe.epochs < recipe.accumulation:
        raise RunError(
            f"The recipe averages the gradients of {recipe.accumulation} batches a step, but trains on "
            f"{len(train) * recipe.epochs} in all and would never step; use a smaller accumulation or more epochs."
        )
    for weight in model.trainable_variables:
        weight.regularizer = keras.regularizers.L2(recipe.l2 / 2) if recipe.l2 else None
    loss = _loss(recipe, class_weights)
    metrics = [UnweightedAverageRecall(num_classes), keras.metrics.SparseCategoricalAccuracy(name="wa")]
    if recipe.l2:
        # The training loss holds the penalty, which may be most of it.
        metrics.append(keras.metrics.MeanMetricWrapper(loss.call, name="data_loss"))
    model.compile(
        optimizer=_optimizer(recipe, steps_per_epoch=len(train)),
        loss=loss,
        metrics=metrics,
        # Under TensorFlow, XLA would compile the recurrences anew for every batch shape. JAX always compiles.
        jit_compile=keras.backend.backend() != "tensorflow",
    )
    watched, callbacks = [], [keras.callbacks.TerminateOnNaN()]
    if watch:
        callbacks.append(
            keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: watched.append(watch(model, loss)))
        )
    if recipe.monitor is not None:
        if validation is None:
            raise RunError(
                f"The recipe keeps the weights of the best validation {recipe.monitor}, but the protocol has no validation "
                "part; use a recipe with monitor=None, or a protocol that holds speakers out."
            )
        best = keras.callbacks.EarlyStopping(
            monitor=f"val_{recipe.monitor}",
            mode=MONITORS[recipe.monitor],
            patience=recipe.patience or recipe.epochs,
            restore_best_weights=True,
        )
        callbacks.append(best)
    logs = model.fit(
        train, validation_data=validation, epochs=recipe.epochs, callbacks=callbacks, shuffle=False, verbose=0
    ).history
    if not np.isfinite(logs["loss"]).all():
        raise Diverged(
            f"Training diverged in epoch {len(logs['loss'])}: the loss is not finite; lower the learning rate "
            f"(now {recipe.learning_rate:g}) or check the features."
        )
    history = pd.DataFrame({"epoch": np.arange(1, len(logs["loss"]) + 1)})
    own = ("data_loss",) if recipe.l2 else ()
    for column in ("loss", "uar", "wa", *own, *(f"val_{name}" for name in ("loss", "uar", "wa", *own))):
        history[column] = logs.get(column, np.nan)
    history["learning_rate"] = [recipe.learning_rate_at(epoch) for epoch in range(len(history))]
    history = pd.concat([history, pd.DataFrame(watched)], axis=1)
    return Fitted(model, history, len(history) if recipe.monitor is None else int(best.best_epoch) + 1)


def _loss(recipe, class_weights):
    import keras

    if recipe.loss == "balanced_margin":
        from sertf.losses import BalancedMarginLoss

        return BalancedMarginLoss(class_weights, recipe.margins)
    return keras.losses.SparseCategoricalCrossentropy()


def _seed(seed):
    import keras

    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def _optimizer(recipe, *, steps_per_epoch):
    import keras

    rate = recipe.learning_rate
    if recipe.decay_epochs is not None:
        rate = keras.optimizers.schedules.ExponentialDecay(
            rate, recipe.decay_epochs * steps_per_epoch, recipe.decay_factor, staircase=True
        )
    if recipe.restart_epochs is not None:
        rate = keras.optimizers.schedules.CosineDecayRestarts(
            rate, first_decay_steps=recipe.restart_epochs * steps_per_epoch, t_mul=1.0, m_mul=1.0, alpha=0.01
        )
    # Schedules count batches, with and without accumulation.
    options = {"gradient_accumulation_steps": recipe.accumulation} if recipe.accumulation > 1 else {}
    if recipe.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=recipe.momentum, **options)
    return keras.optimizers.Adam(rate, epsilon=1e-8, **options)
