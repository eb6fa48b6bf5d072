from dataclasses import replace

import keras
import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.models import MODELS
from sertf.training import fit as training
from sertf.training.batches import Batches, predict
from sertf.training.recipe import Recipe
from sertf.training.scaling import Part


def make_part(count, *, seed):
    """Two classes told apart by the sign of the first dimension."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int32) % 2
    arrays = [rng.normal(size=(rng.integers(4, 9), 3)).astype("float32") for _ in labels]
    for array, label in zip(arrays, labels):
        array[:, 0] += 4 * label - 2
    return Part(tuple(f"u{seed}-{i}" for i in range(count)), arrays, labels)


def fit(seed=1, watch=None, validate=True, class_weights=None, **recipe):
    recipe = Recipe(**{"learning_rate": 0.05, "epochs": 6, "batch_size": 8, **recipe})
    return training.fit(
        lambda: MODELS["lstm_sa"]((None, 3), 2, units=4),
        recipe,
        train=Batches(make_part(24, seed=0), 8, seed=seed),
        validation=Batches(make_part(10, seed=1), 8) if validate else None,
        num_classes=2,
        seed=seed,
        class_weights=class_weights,
        watch=watch,
    )


@pytest.fixture(scope="module")
def fitted():
    return fit()


def test_learns(fitted):
    part = make_part(10, seed=2)
    assert (predict(fitted.model, part).argmax(axis=1) == part.labels).mean() >= 0.9


def test_history_has_a_row_an_epoch(fitted):
    scores = ["loss", "uar", "wa", "val_loss", "val_uar", "val_wa"]
    assert list(fitted.history) == ["epoch", *scores, "learning_rate"]
    assert fitted.history.notna().all(axis=None)
    assert fitted.history["epoch"].tolist() == [1, 2, 3, 4, 5, 6]


def test_best_epoch_is_the_first_of_the_highest_validation_uar(fitted):
    assert fitted.best_epoch == fitted.history["val_uar"].idxmax() + 1


def test_model_has_the_weights_of_the_best_epoch():
    scores = {}

    def remember(model, loss):
        scores[len(scores) + 1] = np.asarray(predict(model, make_part(10, seed=2)))
        return {"calls": len(scores)}

    fitted = fit(watch=remember)
    assert fitted.history["calls"].tolist() == [1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(predict(fitted.model, make_part(10, seed=2)), scores[fitted.best_epoch])


def test_without_a_validation_part_the_last_epoch_is_kept():
    scores = []

    def remember(model, loss):
        scores.append(np.asarray(predict(model, make_part(10, seed=2))))
        return {"test_loss": float(loss(make_part(10, seed=2).labels, scores[-1]))}

    fitted = fit(validate=False, monitor=None, watch=remember)
    assert fitted.best_epoch == 6
    assert fitted.history[["val_loss", "val_uar", "val_wa"]].isna().all(axis=None)
    part = make_part(10, seed=2)
    np.testing.assert_array_equal(predict(fitted.model, part), scores[-1])
    of_truth = scores[-1][np.arange(10), part.labels]
    assert fitted.history["test_loss"].iloc[-1] == pytest.approx(-np.log(of_truth).mean(), rel=1e-4)


def test_a_monitor_needs_a_validation_part():
    with pytest.raises(training.RunError, match="best validation uar, but the protocol has no validation part"):
        fit(validate=False)


def test_balanced_margin_loss_learns_too():
    fitted = fit(loss="balanced_margin", class_weights=np.ones(2, "float32"))
    assert fitted.history["uar"].max() >= 0.9
    assert fitted.history["loss"].iloc[0] < 0.5 * 1.1  # a margin, no cross-entropy of about 0.7


def test_same_seed_same_weights_bit_by_bit(fitted):
    for ours, again in zip(fitted.model.get_weights(), fit().model.get_weights()):
        np.testing.assert_array_equal(ours, again)
    assert any(not np.array_equal(a, b) for a, b in zip(fitted.model.get_weights(), fit(seed=2).model.get_weights()))


def test_l2_adds_its_gradient_to_every_weight():
    """One SGD step with an L2 penalty ends rate · l2 · weight under the same step without."""
    part = make_part(24, seed=0)
    validation = Batches(part, 24)
    start, plain, penalised = [], [], []
    for l2, ends in ((0.0, plain), (0.5, penalised)):

        def build():
            model = MODELS["lstm_sa"]((None, 3), 2, units=4, dropout=0.0)
            start[:] = [np.array(weight) for weight in model.trainable_weights]
            return model

        fitted = training.fit(
            build,
            Recipe(optimizer="sgd", learning_rate=0.1, l2=l2, epochs=1, batch_size=24),
            train=Batches(part, 24, seed=1),
            validation=validation,
            num_classes=2,
            seed=1,
        )
        ends[:] = [np.array(weight) for weight in fitted.model.trainable_weights]
    for before, without, with_l2 in zip(start, plain, penalised):
        np.testing.assert_allclose(with_l2, without - 0.1 * 0.5 * before, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("loss", ["cross_entropy", "balanced_margin"])
def test_the_loss_without_its_penalty_is_logged_too(loss):
    losses = []

    def watch(model, loss):
        losses.append(float(loss(make_part(10, seed=1).labels, predict(model, make_part(10, seed=1)))))
        return {}

    history = fit(l2=0.5, epochs=2, loss=loss, class_weights=np.ones(2, "float32"), watch=watch).history
    assert history["val_data_loss"].tolist() == pytest.approx(losses, rel=1e-4)
    assert (history["loss"] > history["data_loss"]).all() and (history["val_loss"] > history["val_data_loss"]).all()


def test_the_epoch_of_the_lowest_loss_without_the_penalty_can_be_kept():
    by = {m: fit(l2=0.5, epochs=12, learning_rate=0.05, monitor=m) for m in ("loss", "data_loss")}
    history = by["data_loss"].history
    assert by["data_loss"].best_epoch == history["val_data_loss"].idxmin() + 1
    assert by["loss"].best_epoch == history["val_loss"].idxmin() + 1
    assert by["loss"].best_epoch != by["data_loss"].best_epoch
    with pytest.raises(SertfError, match="monitor must be loss where l2 is 0"):
        Recipe(monitor="data_loss")


def dense():
    return keras.Sequential(
        [
            keras.Input((None, 3)),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(2, activation="softmax", dtype="float32"),
        ]
    )


def steps(part, *, batch_size, build=dense, watch=None, class_weights=None, **recipe):
    """The weights at the start, and after training on equally long utterances, in their order for a seed of 0."""
    start = []

    def remembered():
        model = build()
        start[:] = [np.array(weight) for weight in model.trainable_weights]
        return model

    fitted = training.fit(
        remembered,
        Recipe(**{"optimizer": "sgd", "monitor": None, "epochs": 1, "batch_size": batch_size, **recipe}),
        train=Batches(part, batch_size, seed=0),
        validation=None,
        num_classes=2,
        seed=0,
        class_weights=class_weights,
        watch=watch,
    )
    return start, [np.array(weight) for weight in fitted.model.trainable_weights], fitted


@pytest.mark.parametrize("cut", [{"batch_size": 2}, {"batch_size": 1, "accumulation": 2}])
def test_rate_falls_after_the_decay_epochs(cut):
    """Two steps an epoch, along gradients that hardly change: they follow the rate."""
    part = replace(make_part(4, seed=0), arrays=[np.ones((5, 3), "float32")] * 4, labels=np.zeros(4, np.int32))
    ends = [
        steps(part, **cut, learning_rate=5e-3, epochs=epochs, decay_epochs=2, decay_factor=0.1)[1][0]
        for epochs in range(1, 6)
    ]
    sizes = [np.abs(late - early).max() for early, late in zip(ends, ends[1:])]
    np.testing.assert_allclose(np.array(sizes) / sizes[0], [1, 0.1, 0.1, 0.01], rtol=0.1)
    _, _, fitted = steps(part, batch_size=2, learning_rate=1e-2, epochs=5, decay_epochs=2)
    np.testing.assert_allclose(fitted.history["learning_rate"], [1e-2, 1e-2, 1e-3, 1e-3, 1e-4])


def strides(**recipe):
    """How far each epoch moves the weights, over the first: two steps, along gradients that hardly change."""
    part = replace(make_part(4, seed=0), arrays=[np.ones((5, 3), "float32")] * 4, labels=np.zeros(4, np.int32))
    places = []

    def remember(model, loss):
        places.append(np.array(model.trainable_weights[0]))
        return {}

    start, _, _ = steps(part, batch_size=2, watch=remember, learning_rate=1e-3, **recipe)
    sizes = [np.abs(late - early).max() for early, late in zip([start[0], *places], places)]
    return np.array(sizes) / sizes[0]


def test_annealed_steps_restart():
    """Of the cosine from 1 to 0.01, the rates of the two epochs' four steps are 1, 0.855, 0.505 and 0.155."""
    second = (0.505 + 0.155) / (1 + 0.855)
    np.testing.assert_allclose(strides(epochs=5, restart_epochs=2), [1, second, 1, second, 1], rtol=0.02)


def test_annealing_once_an_epoch_keeps_the_rate_within_it():
    strided = strides(epochs=5, restart_epochs=2, annealing="epoch")
    np.testing.assert_allclose(strided, [1, 0.505, 1, 0.505, 1], rtol=0.02)


def test_steps_gain_momentum():
    """Under a momentum of 0.5 the steps are 1, 1.5, 1.75, 1.875, 1.9375 and so on, two an epoch."""
    np.testing.assert_allclose(strides(epochs=3, momentum=0.5), [1, 3.625 / 2.5, 3.90625 / 2.5], rtol=0.02)


@pytest.mark.parametrize(("margins", "expected"), [((0.5, 0.5, 0.5), 0), ((0.9, 0.5, 0.1), 3 * (0.16 + 0.5 * 0.16))])
def test_balanced_margin_loss_has_the_margins_of_the_recipe(margins, expected):
    """Zeros have the scores 0.5 and 0.5 before the only step."""
    part = replace(make_part(4, seed=0), arrays=[np.zeros((5, 3), "float32")] * 4)
    weights = np.ones(2, "float32")
    _, _, fitted = steps(part, batch_size=4, loss="balanced_margin", margins=margins, class_weights=weights)
    assert fitted.history["loss"].tolist() == pytest.approx([expected])


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_schedule_reaches_the_optimizer(optimizer):
    _, _, fitted = steps(
        make_part(4, seed=0), batch_size=2, optimizer=optimizer, learning_rate=1e-2, epochs=3, decay_epochs=2
    )
    assert float(fitted.model.optimizer.learning_rate) == pytest.approx(1e-3)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_accumulated_batches_are_one_step(optimizer):
    part = make_part(24, seed=0)
    part = replace(part, arrays=[array[:4] for array in part.arrays])
    given = {"learning_rate": 0.5, "optimizer": optimizer}
    start, whole, _ = steps(part, batch_size=24, **given)
    _, accumulated, _ = steps(part, batch_size=6, accumulation=4, **given)
    assert np.abs(whole[0] - start[0]).max() > 1e-2
    for ours, expected in zip(accumulated, whole, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-6)


def test_accumulation_over_more_batches_than_there_are_would_train_nothing():
    with pytest.raises(training.RunError, match="gradients of 5 batches a step, but trains on 4 in all"):
        steps(make_part(24, seed=0), batch_size=6, accumulation=5)


def test_patience_stops_early():
    assert len(fit(epochs=40, patience=2).history) < 40


def test_divergence_is_an_error_and_not_a_number():
    with pytest.raises(training.RunError, match="diverged.*lower the learning rate"):
        fit(optimizer="sgd", learning_rate=1e30)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="averaged weights fail under JAX alone")
def test_averaged_weights_are_refused_under_jax():
    with pytest.raises(training.RunError, match="ema.*KERAS_BACKEND=tensorflow"):
        fit(ema=0.9, monitor=None)
