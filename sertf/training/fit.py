"""One fit: seed, compile, train, keep the best weights; and its record in the run directory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sertf.errors import SertfError
from sertf.training.batches import Batches, as_dataset
from sertf.training.checkpoint import Checkpoint
from sertf.training.recipe import MONITORS, WARMUP_START, Recipe

if TYPE_CHECKING:
    import keras

WEIGHTS = ("weights.keras", "weights.joblib")
"""Files of a trained model: Keras's, and scikit-learn's."""
CLIP_FEATURES = "clip_features.keras"
"""File of the network whose values of a clip a linear model reads, see `sertf.models.clip_features`."""


class RunError(SertfError):
    """A run directory that cannot be used or written."""


class Diverged(RunError):
    """A training whose loss is no longer finite."""


@dataclass(frozen=True)
class Fitted:
    """A trained model with the weights of its best epoch.

    Attributes:
        model: the Keras model.
        history: one row an epoch, with columns epoch (from 1), loss, uar, wa, learning_rate and watched scores. With an L2
            penalty, data_loss is the loss without it. Columns of the validation part begin with val_; they are missing
            without one.
        best_epoch: the epoch (from 1) that gave the model's weights; the last one without a monitor.
        weights_file: name of the saved model's file.
        seconds_before: that the training took before this process went on with it.
        out_of_fold: scores of the training part, (utterances, classes), by models that did not train on the speaker; None
            where a validation part chose, or nothing did.
        out_of_corpus: the same by models that did not train on the corpus; None where no corpus was left out.
        clip_features: the network whose values of a clip the model reads; None where it reads the features.
    """

    model: Any
    history: pd.DataFrame
    best_epoch: int
    weights_file: str = WEIGHTS[0]
    seconds_before: float = 0.0
    out_of_fold: np.ndarray | None = None
    out_of_corpus: np.ndarray | None = None
    clip_features: Any = None


def fit(
    build: Callable[[], "keras.Model"],
    recipe: Recipe,
    *,
    train: Batches,
    validation: Batches | None,
    num_classes: int,
    seed: int,
    class_weights: Sequence[float] | np.ndarray | None = None,
    watch: Callable[["keras.Model", Callable], dict[str, float]] | None = None,
    checkpoint: Checkpoint | None = None,
) -> Fitted:
    """Build, compile and train a model; the same arguments give bitwise the same weights on the same machine.

    Args:
        build: function without arguments to an uncompiled Keras model, called after seeding. It applies the recipe's
            dropout and precision, see `sertf.training.network.build_network`.
        recipe: `sertf.training.recipe.Recipe`.
        train: batches of the training part, whose targets are shares of the classes where the recipe's are.
        validation: of the validation part, in fixed order; None where the protocol has none.
        num_classes: number of emotions.
        seed: seed of weights, dropout and everything that Keras draws.
        class_weights: (num_classes,) weights of the classes, for the loss "balanced_margin".
        watch: function of the model and its loss, a function of labels and scores, to a dict of column and value, called
            after each epoch and written to the history; it never decides which weights are kept.
        checkpoint: where the state between epochs is stored. A training that is stored there already goes on from its
            last stored epoch, bit by bit as if it had never stopped. None stores nothing.

    Returns:
        Fitted.
    """
    import keras

    from sertf.metrics import UnweightedAverageRecall
    from sertf.training.callbacks import EndOfEpoch

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
    accuracy = keras.metrics.CategoricalAccuracy if recipe.soft_targets else keras.metrics.SparseCategoricalAccuracy
    metrics = [UnweightedAverageRecall(num_classes), accuracy(name="wa")]
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
    model.optimizer.build(model.trainable_variables)  # its variables must be there to be restored
    if recipe.ema and keras.backend.backend() == "jax":  # Keras's swap of weights fails there
        raise RunError("The recipe averages weights (ema), which fails under JAX; set KERAS_BACKEND=tensorflow.")
    averaging = keras.callbacks.SwapEMAWeights(swap_on_epoch=True) if recipe.ema else None
    best = None
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
    end = EndOfEpoch(
        recipe.epochs,
        best=best,
        averaging=averaging,
        watch=None if watch is None else lambda: watch(model, _on_labels(loss, recipe, num_classes)),
        checkpoint=checkpoint,
    )
    end.restore(model)
    if end.is_over:
        end.finish(model)
    else:
        # Averaged weights are in the model when the others look at it; the state is stored behind all of them.
        by_epoch = None
        if recipe.annealing == "epoch":
            by_epoch = keras.callbacks.LearningRateScheduler(lambda epoch, _: recipe.learning_rate_at(epoch))
        callbacks = [keras.callbacks.TerminateOnNaN(), by_epoch, averaging, best, end]
        model.fit(
            as_dataset(train, first_epoch=len(end.logs)),
            validation_data=None if validation is None else as_dataset(validation),
            epochs=recipe.epochs,
            initial_epoch=len(end.logs),
            callbacks=[callback for callback in callbacks if callback is not None],
            shuffle=False,
            verbose=0,
        )
    logs = end.logs
    if not np.isfinite(logs[-1]["loss"]):
        raise Diverged(
            f"Training diverged in epoch {len(logs)}: the loss is not finite; lower the learning rate "
            f"(now {recipe.learning_rate:g}) or check the features."
        )
    history = pd.DataFrame({"epoch": np.arange(1, len(logs) + 1)})
    own = ("data_loss",) if recipe.l2 else ()
    for column in ("loss", "uar", "wa", *own, *(f"val_{name}" for name in ("loss", "uar", "wa", *own))):
        history[column] = [row.get(column, np.nan) for row in logs]
    history["learning_rate"] = [recipe.learning_rate_at(epoch) for epoch in range(len(history))]
    history = pd.concat([history, pd.DataFrame(end.watched)], axis=1)
    best_epoch = len(history) if best is None else int(best.best_epoch) + 1
    return Fitted(model, history, best_epoch, seconds_before=end.seconds_before)


def _on_labels(loss, recipe, num_classes):
    """The loss as a function of labels and scores."""
    if not recipe.soft_targets:
        return loss
    return lambda labels, outputs: loss(np.eye(num_classes, dtype=np.float32)[labels], outputs)


def _loss(recipe, class_weights):
    import keras

    if recipe.loss == "balanced_margin":
        from sertf.losses import BalancedMarginLoss

        return BalancedMarginLoss(class_weights, recipe.margins)
    if recipe.soft_targets:
        return keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)
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
    if recipe.warmup_epochs is not None:
        rate = keras.optimizers.schedules.CosineDecay(
            rate * WARMUP_START if recipe.warmup_epochs else rate,
            (recipe.epochs - recipe.warmup_epochs) * steps_per_epoch,
            warmup_target=rate if recipe.warmup_epochs else None,
            warmup_steps=recipe.warmup_epochs * steps_per_epoch,
        )
    if recipe.decay_epochs is not None:
        rate = keras.optimizers.schedules.ExponentialDecay(
            rate, recipe.decay_epochs * steps_per_epoch, recipe.decay_factor, staircase=True
        )
    if recipe.restart_epochs is not None and recipe.annealing == "batch":
        rate = keras.optimizers.schedules.CosineDecayRestarts(
            rate, first_decay_steps=recipe.restart_epochs * steps_per_epoch, t_mul=1.0, m_mul=1.0, alpha=0.01
        )
    # Schedules count batches, with and without accumulation.
    options = {"gradient_accumulation_steps": recipe.accumulation} if recipe.accumulation > 1 else {}
    if recipe.ema:
        options |= {"use_ema": True, "ema_momentum": recipe.ema}
    if recipe.optimizer == "sgd":
        return keras.optimizers.SGD(rate, momentum=recipe.momentum, **options)
    if recipe.optimizer == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, epsilon=1e-8, **options)
    return keras.optimizers.Adam(rate, epsilon=1e-8, **options)
