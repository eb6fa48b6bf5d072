"""One fit: seed, compile, train, keep the best weights; and what a run directory records of it."""

import contextlib
import os
import platform
import re
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd

from sertf.errors import SertfError
from sertf.recipes import MONITORS

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
        history: one row an epoch: epoch (from 1), loss, uar, wa, data_loss (the loss without the L2 penalty, where there
            is one), the same of the validation part (val_, missing without one), learning_rate, and watched scores.
        best_epoch: the epoch (from 1) whose weights the model has; the last one without a monitor.
        weights_file: name of the file that the model is saved in.
    """

    model: object
    history: pd.DataFrame
    best_epoch: int
    weights_file: str = WEIGHTS[0]


def fit(build, recipe, *, train, validation, num_classes, seed, class_weights=None, watch=None):
    """Build, compile and train a model; the same arguments give bitwise the same weights on the same machine.

    Args:
        build: function without arguments to an uncompiled Keras model; called after seeding. The recipe's dropout and
            precision are its affair, see `sertf.networks.build`.
        recipe: `sertf.recipes.Recipe`.
        train: dataset of (features, labels) batches with a length.
        validation: the same, in fixed order; None where the protocol has no validation part.
        num_classes: number of emotions.
        seed: of weights, dropout and everything Keras draws.
        class_weights: (num_classes,) weights of the classes, for the loss "balanced_margin".
        watch: function of the model and its loss to a dict of column and value, called after each epoch and written to
            the history; it never decides which weights are kept.

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
            f"{len(train) * recipe.epochs} in all, so that it would never take one; use a smaller accumulation or more epochs."
        )
    for weight in model.trainable_variables:
        weight.regularizer = keras.regularizers.L2(recipe.l2 / 2) if recipe.l2 else None
    loss = _loss(recipe, class_weights)
    metrics = [UnweightedAverageRecall(num_classes), keras.metrics.SparseCategoricalAccuracy(name="wa")]
    if recipe.l2:
        # The loss that is trained on holds the penalty, which may be most of it.
        metrics.append(keras.metrics.MeanMetricWrapper(loss.call, name="data_loss"))
    model.compile(
        optimizer=_optimizer(recipe, steps_per_epoch=len(train)),
        loss=loss,
        metrics=metrics,
        # XLA would compile the recurrences anew for every batch shape under TensorFlow; JAX always compiles.
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


def representations(model, part, predict):
    """What figures need of a trained model on one part, or an empty dict for a model without these layers.

    Args:
        model: a model whose layers "embedding", "states" and "attention" give an utterance's representation, its
            states over time, and the pair of context and attention weights; any of them may be missing.
        part: `sertf.pipeline.Part`; its first utterance is the clip shown over time.
        predict: function of model and part to its outputs in the part's order.

    Returns:
        dict of arrays: utterances, labels, embeddings (utterances, units), means (utterances, dims), and for the clip
        clip_utterance, clip_features (frames, dims), clip_states (frames, units), clip_attention (frames,); of a model with
        deformable attention clip_windows (layers, heads, steps, 2), the windows' ends in steps, and clip_received (layers,
        heads, steps), the attention that each step gets, averaged over queries.
    """
    import keras

    from sertf.layers import DeformableAttention

    names = {layer.name for layer in model.layers}
    if "embedding" not in names:
        return {}
    embedder = keras.Model(model.inputs, model.get_layer("embedding").output)
    result = {
        "utterances": np.array(part.utterances, dtype=str),
        "labels": part.labels,
        "embeddings": predict(embedder, part).astype(np.float32),
        "means": np.stack([array.mean(axis=0) for array in part.arrays]),
    }
    clip = part.arrays[0]
    shown = {"clip_utterance": np.array(part.utterances[0]), "clip_features": clip}
    if {"states", "attention"} <= names:
        inside = keras.Model(model.inputs, [model.get_layer("states").output, model.get_layer("attention").output[1]])
        states, attention = inside.predict_on_batch(clip[None])
        result |= {**shown, "clip_states": np.asarray(states)[0], "clip_attention": np.asarray(attention)[0]}
    deformable = [layer for layer in model.layers if isinstance(layer, DeformableAttention)]
    if deformable:
        # Flat: of a single layer Keras would not give a list with its pair in it.
        inside = keras.Model(model.inputs, [output for layer in deformable for output in layer.output[1:]])
        found = inside.predict_on_batch(clip[None])
        weights, windows = found[::2], found[1::2]
        received = [np.asarray(of_layer)[0].mean(axis=1) for of_layer in weights]
        result |= {
            **shown,
            "clip_windows": np.stack([np.asarray(of_layer)[0] for of_layer in windows]),
            "clip_received": np.stack(received),
        }
    return result


def environment(backend=None):
    """Versions, backend, device and kernels that a manifest states; `backend` is what trained, None for Keras's own."""
    import keras

    backend = backend or keras.backend.backend()
    packages = ["sertf", "keras", "numpy", "librosa", backend]
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            # Distributed under another name (tensorflow-cpu), or run from a checkout.
            versions[package] = getattr(sys.modules.get(package), "__version__", "unknown")
    found = {"versions": versions, "backend": backend, "device": _device()}
    if backend == "tensorflow":
        # Sums in another order: it changes the last digits.
        found["onednn"] = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "as by default")
    return found


def _device():
    import keras

    if keras.backend.backend() == "jax":
        import jax

        device = jax.devices()[0]
        return device.device_kind if device.platform != "cpu" else f"CPU ({_processor()})"
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU")
    return f"CPU ({_processor()})"


def _processor():
    """The processor's name, where the system tells it, else its architecture; processors round differently."""
    with contextlib.suppress(OSError):  # Python itself does not know it on Linux
        found = re.search(r"^model name\s*:\s*(.*\S)", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()
