"""A training that is killed between two epochs, and one that is not, are the same bit by bit."""

import logging

import keras
import numpy as np
import pandas as pd
import pytest

from sertf.training import callbacks
from sertf.training import fit as training
from sertf.training.batches import Batches, predict
from sertf.training.checkpoint import Checkpoint
from sertf.training.recipe import Recipe
from sertf.training.spectrogram_augmentation import SpectrogramAugmentation
from tests.training.test_fit import make_part

EVERYTHING = {
    "optimizer": "adamw",
    "weight_decay": 0.1,
    "warmup_epochs": 1,
    "label_smoothing": 0.1,
    "mixup": 0.3,
    "ema": 0.9,
    "spectrogram_augmentation": SpectrogramAugmentation(8, mask_bands=1, mask_frames=2),
}


class Killed(BaseException):
    """What ends a process."""


@pytest.fixture
def every_epoch(monkeypatch):
    """States are stored after each epoch, however short."""
    monkeypatch.setattr(callbacks, "CHECKPOINT_SECONDS", 0.0)


def build():
    return keras.Sequential(
        [
            keras.Input((None, 3)),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )


def compiled():
    model = build()
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    return model


def fit(checkpoint=None, *, killed_after=None, seen=None, **recipe):
    recipe = Recipe(**{"learning_rate": 0.05, "epochs": 5, "batch_size": 8, **recipe})
    soft = 2 if recipe.soft_targets else None
    epochs = []

    def watch(model, loss):
        if killed_after is not None and len(epochs) == killed_after:
            raise Killed
        epochs.append(len(epochs))
        if seen is not None:
            seen.append(np.array(model.trainable_weights[0]))
        part = make_part(10, seed=2)
        return {"test_loss": float(loss(part.labels, predict(model, part)))}

    return training.fit(
        build,
        recipe,
        train=Batches(
            make_part(24, seed=0),
            8,
            seed=3,
            classes=soft,
            augmentation=recipe.spectrogram_augmentation,
            mixup=recipe.mixup,
        ),
        validation=Batches(make_part(10, seed=1), 8, classes=soft) if recipe.monitor else None,
        num_classes=2,
        seed=1,
        watch=watch,
        checkpoint=checkpoint,
    )


@pytest.mark.parametrize("monitor", ["uar", None])
@pytest.mark.parametrize("options", [{}, EVERYTHING], ids=["plain", "everything"])
@pytest.mark.usefixtures("every_epoch")
def test_a_killed_training_goes_on_bit_by_bit(tmp_path, monitor, options):
    whole = fit(monitor=monitor, **options)
    checkpoint = Checkpoint(tmp_path / "state.npz", "a")
    with pytest.raises(Killed):
        fit(checkpoint, killed_after=2, monitor=monitor, **options)  # in the third epoch
    assert len(checkpoint.read().logs) == 2
    resumed = fit(checkpoint, monitor=monitor, **options)
    for ours, expected in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)
    pd.testing.assert_frame_equal(resumed.history, whole.history, check_exact=True)
    assert resumed.best_epoch == whole.best_epoch and resumed.seconds_before > 0


@pytest.mark.parametrize("options", [{"monitor": None, **EVERYTHING}, {"patience": 1, "epochs": 40}])
@pytest.mark.usefixtures("every_epoch")
def test_a_training_that_was_over_is_not_trained_again(tmp_path, options):
    checkpoint = Checkpoint(tmp_path / "state.npz", "a")
    whole = fit(checkpoint, **options)
    seen = []
    again = fit(checkpoint, seen=seen, **options)
    assert seen == [] and again.best_epoch == whole.best_epoch
    for ours, expected in zip(again.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)
    pd.testing.assert_frame_equal(again.history, whole.history)


def test_others_see_the_averaged_weights_and_the_last_ones_are_kept():
    seen = []
    fitted = fit(seen=seen, monitor=None, **EVERYTHING)
    np.testing.assert_array_equal(seen[-1], np.array(fitted.model.trainable_weights[0]))
    last = fit(monitor=None, **{**EVERYTHING, "ema": None}).model.trainable_weights[0]
    assert not np.allclose(seen[-1], np.array(last), rtol=1e-3)


def test_states_are_stored_ten_seconds_apart(tmp_path, monkeypatch):
    checkpoint, epochs = Checkpoint(tmp_path / "state.npz", "a"), []
    monkeypatch.setattr(Checkpoint, "write", lambda _, state: epochs.append(len(state.logs)))
    seconds = [0.0]
    monkeypatch.setattr(callbacks.time, "monotonic", lambda: seconds[0])
    ends = callbacks.EndOfEpoch(6, best=None, averaging=None, watch=None, checkpoint=checkpoint)
    ends.set_model(compiled())
    for epoch in range(6):
        seconds[0] += 6.0
        ends.on_epoch_end(epoch, {"loss": 0.5})
    assert epochs == [2, 4, 6]


def test_a_line_an_epoch(caplog, monkeypatch):
    monkeypatch.setattr(callbacks, "LEAST_SECONDS", 0.0)
    with caplog.at_level(logging.INFO, logger="sertf"):
        history = fit(epochs=2).history
    first = history.iloc[0]
    expected = f"epoch 1 of 2: loss {first['loss']:.3f}, uar {first['uar']:.3f}, val_uar {first['val_uar']:.3f}"
    assert caplog.messages[0] == expected and len(caplog.messages) == 2
