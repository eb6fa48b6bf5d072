import numpy as np
import pytest

from sertf.errors import SertfError
from sertf.evaluation.certainty import certain_part, certainty_threshold


def answers(count=400, seed=0):
    """Answers that are right as often as their confidence says."""
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.5, 1, count)
    truth = (rng.uniform(size=count) > confidence).astype(int)
    return truth, np.stack([confidence, 1 - confidence], axis=1)


def test_the_certain_answers_reach_the_precision_and_no_lower_threshold_does():
    truth, probabilities = answers()
    threshold = certainty_threshold(truth, probabilities, 0.9)
    share, right = certain_part(truth, probabilities, threshold)
    assert right >= 0.9 and 0 < share < 1
    confidence = probabilities[:, 0]
    for lower in confidence[confidence < threshold]:
        assert np.mean(truth[confidence >= lower] == 0) < 0.9


def test_a_model_that_is_precise_enough_is_never_uncertain():
    truth, probabilities = answers()
    assert certainty_threshold(truth, probabilities, 0.5) == 0
    assert certain_part(truth, probabilities, 0.0)[0] == 1


def test_no_threshold_without_enough_right_answers():
    truth, probabilities = answers()
    assert certainty_threshold(1 - truth, probabilities, 0.99) is None
    assert certainty_threshold([0] * 9 + [1], [[0.99, 0.01]] * 9 + [[0.6, 0.4]], 1.0) is None


def test_equal_confidences_stay_together():
    truth = [0] * 12 + [1] * 3
    probabilities = [[0.9, 0.1]] * 15
    assert certainty_threshold(truth, probabilities, 0.9) is None
    assert certain_part(truth, probabilities, 0.95) == (0.0, None)


@pytest.mark.parametrize("precision", [0, 1.2, float("nan")])
def test_a_precision_out_of_range(precision):
    with pytest.raises(SertfError, match="must lie above 0 and at most at 1"):
        certainty_threshold(*answers(), precision)
