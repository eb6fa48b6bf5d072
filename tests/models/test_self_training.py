"""A ridge regression that trains itself on rows without labels."""

import numpy as np

from sertf.models.ridge import class_targets, fit_ridge, softmax
from sertf.models.self_training import MOST_ROWS, ROUNDS, SHARPNESS, correction, evenly


def classes_around(centres, count, rng, shift=0.0):
    """Rows around the centre of each class, all of them shifted, and their labels."""
    labels = np.repeat(np.arange(len(centres)), count)
    return centres[labels] + rng.normal(0, 1, (len(labels), centres.shape[1])) + shift, labels


def answered(fitted, rows):
    values = fitted.values(rows)
    return values + correction(rows, values, fitted.leverage).values(rows)


def test_it_solves_the_regression_with_the_rows_among_those_of_training():
    rng = np.random.default_rng(0)
    rows, labels = classes_around(rng.normal(0, 2, (3, 10)), 30, rng)
    other, _ = classes_around(rng.normal(0, 2, (3, 10)), 20, rng)
    weights = rng.uniform(0.5, 1.5, len(rows))
    (fitted,) = fit_ridge(rows, class_targets(labels, 3), [50.0], weights)
    values = fitted.values(other)
    gained = correction(other, values, fitted.leverage)
    centre = fitted.leverage.centre
    gram = (rows - centre).T @ ((rows - centre) * weights[:, None]) + 50 * np.eye(10)
    apart, now = other - centre, values
    for _ in range(ROUNDS):
        targets = 2 * softmax(SHARPNESS * now) - 1
        kernel = np.linalg.solve(gram + apart.T @ apart, apart.T @ (targets - values))
        now = values + apart @ kernel
    # The leverage keeps its directions in float16.
    np.testing.assert_allclose(gained.kernel, kernel, atol=0.01 * np.abs(kernel).max())
    np.testing.assert_allclose(gained.values(centre[None]), 0, atol=1e-9)


def test_speakers_who_show_classes_in_other_values_too_are_told_apart_better():
    rng = np.random.default_rng(1)
    shared, own = rng.normal(0, 1, (4, 10)), rng.normal(0, 1, (4, 40))
    rows, labels = classes_around(np.hstack([shared, np.zeros_like(own)]), 100, rng)
    (fitted,) = fit_ridge(rows, class_targets(labels, 4), [100.0], np.ones(len(rows)))
    other, truth = classes_around(np.hstack([0.5 * shared, own]), 100, rng)
    before, after = (found.argmax(axis=1) for found in (fitted.values(other), answered(fitted, other)))
    assert (after == truth).mean() > (before == truth).mean() + 0.1


def test_a_single_row_changes_no_answer():
    rng = np.random.default_rng(2)
    rows, labels = classes_around(rng.normal(0, 1, (3, 6)), 30, rng)
    (fitted,) = fit_ridge(rows, class_targets(labels, 3), [100.0], np.ones(len(rows)))
    for row in rows[::7]:
        assert answered(fitted, row[None]).argmax() == fitted.values(row[None]).argmax()


def test_of_very_many_rows_a_part_is_taken():
    places = evenly(10 * MOST_ROWS)
    assert len(places) == MOST_ROWS and places[1] == 10 and places[-1] == 10 * MOST_ROWS - 10
