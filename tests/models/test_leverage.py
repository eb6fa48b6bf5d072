"""How far a row lies from those of training, and the temperature that follows."""

import numpy as np
import pytest

from sertf.models import leverage
from sertf.models.leverage import Curve, Leverage, fit_curve


def test_the_leverage_is_that_of_the_ridge_regression():
    rng = np.random.default_rng(0)
    rows, weights, seen = rng.normal(2, 3, (50, 20)), rng.uniform(0.5, 2, 50), rng.normal(2, 5, (9, 20))
    centre = weights @ rows / weights.sum()
    gram = ((rows - centre).T * weights) @ (rows - centre) + 7.0 * np.eye(20)
    expected = np.einsum("id,de,ie->i", seen - centre, np.linalg.inv(gram), seen - centre)
    np.testing.assert_allclose(Leverage.of(rows, weights, 7.0)(seen), expected, rtol=0.01)  # float16 axes


def test_few_directions_keep_the_order_of_rows_near_and_far(monkeypatch):
    rng = np.random.default_rng(0)
    spread = np.geomspace(10, 0.1, 40)
    rows = rng.normal(size=(300, 40)) * spread
    near, far = rng.normal(size=(50, 40)) * spread, rng.normal(size=(50, 40)) * spread[::-1]
    monkeypatch.setattr(leverage, "DIRECTIONS", 8)
    made = Leverage.of(rows, np.ones(300), 30.0)
    assert made.axes.shape == (40, 8)
    assert np.quantile(made(near), 0.9) < np.quantile(made(far), 0.1)


def test_the_curve_finds_back_the_temperature_that_drew_the_labels():
    rng = np.random.default_rng(0)
    count, drawn_by = 4000, Curve(0.25, 2.0, 2.0)
    leverages = [rng.uniform(0.2, 1, count), rng.uniform(1, 6, count)]
    labels = rng.integers(0, 3, count)
    values = []
    for own in leverages:  # values whose softmax at this temperature is the share of right labels
        scores = rng.normal(0, 1, (count, 3))
        powers = np.exp(scores / drawn_by(own)[:, None])
        chosen = np.array([rng.choice(3, p=row / row.sum()) for row in powers])
        for row, label, found in zip(scores, labels, chosen):
            row[[label, found]] = row[[found, label]]
        values.append(scores)
    found = fit_curve(labels, values, leverages, np.ones(count))
    at = np.array([0.3, 1.0, 3.0, 6.0])
    np.testing.assert_allclose(found(at), drawn_by(at), rtol=0.15)


@pytest.mark.parametrize("leverage", [0.0, 1.0])
def test_a_power_of_zero_is_one_temperature(leverage):
    assert Curve(0.2, 1.0, 0.0)(np.array([leverage]))[0] == pytest.approx(0.4)
