"""The temperature of scores by how far a row lies from those of training."""

import numpy as np
import pytest

from sertf.models.confidence import Curve, fit_curve


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
