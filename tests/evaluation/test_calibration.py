import math

import numpy as np
import pandas as pd
import pytest
import scipy.special

from sertf.errors import SertfError
from sertf.evaluation import calibration


@pytest.fixture
def made():
    """Truth and softmax scores that are three times too sure of themselves."""
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 4))
    truth = np.array([rng.choice(4, p=row) for row in scipy.special.softmax(logits, axis=1)])
    return truth, scipy.special.softmax(3 * logits, axis=1)


def literal(truth, values):
    """ECE, Brier score and negative log-likelihood, row by row."""
    bins, squares, logs = {}, 0.0, 0.0
    for true, row in zip(truth, values):
        best = max(range(len(row)), key=lambda k: row[k])
        for m in range(1, 16):
            if (m - 1) / 15 < row[best] <= m / 15:
                bins.setdefault(m, []).append((row[best], best == true))
        squares += sum((p - (k == true)) ** 2 for k, p in enumerate(row))
        logs -= math.log(row[true])
    ece = 0.0
    for entries in bins.values():
        confidence, right = (sum(column) / len(entries) for column in zip(*entries))
        ece += len(entries) / len(truth) * abs(confidence - right)
    return ece, squares / len(truth), logs / len(truth)


def test_errors_equal_a_literal_implementation(made):
    truth, values = made
    ours = calibration.ece(truth, values), calibration.brier(truth, values), calibration.nll(truth, values)
    assert ours == pytest.approx(literal(truth.tolist(), values.tolist()))


def test_the_fitted_temperature_undoes_overconfidence(made):
    truth, scores = made
    temperature = calibration.fit_temperature(truth, scores)
    assert temperature == pytest.approx(3, rel=0.1)
    before, after = (calibration.ece(truth, calibration.probabilities(scores, t)) for t in (1, temperature))
    assert after < 0.02 < 0.15 < before


def test_a_temperature_divides_the_logits_of_a_softmax():
    logits = np.random.default_rng(1).normal(size=(5, 3))
    ours = calibration.probabilities(scipy.special.softmax(logits, axis=1), 2.5)
    np.testing.assert_allclose(ours, scipy.special.softmax(logits / 2.5, axis=1))


def test_lengths_of_capsules_become_shares_and_zeros_stay_finite():
    np.testing.assert_allclose(calibration.probabilities([[0.9, 0.9, 0.2]]), [[0.45, 0.45, 0.1]])
    assert np.isfinite(calibration.nll([1], calibration.probabilities([[1.0, 0.0]])))


def test_of_a_table_of_repeats(made):
    truth, scores = made
    table = pd.DataFrame({"utterance": np.arange(4000), "speaker": "s", "repeat": np.arange(4000) % 2, "fold": "1"})
    table["truth"] = np.array(list("abcd"))[truth]
    table[list("abcd")] = scores
    found = calibration.calibration(table)
    assert found["values"]["brier"][1] == pytest.approx(calibration.brier(truth[1::2], scores[1::2]))
    assert sum(count for count, *_ in found["bins"]) == 4000
    assert all((count == 0) == (accuracy is None) for count, _, accuracy in found["bins"])


@pytest.mark.parametrize("scores", [[[-0.1, 0.5]], [[np.nan, 1.0]], [0.5, 0.5]])
def test_scores_without_a_probability(scores):
    with pytest.raises(SertfError, match="scores must be finite numbers of 0 or more"):
        calibration.probabilities(scores)
