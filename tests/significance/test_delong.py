"""DeLong's variance: the loop over pairs, scikit-learn's area, numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import roc_auc_score

from ftcore.significance.delong import delong, delong_interval

Floats = NDArray[np.float64]


def pairs(scores: Floats, is_positive: NDArray[np.bool_]) -> Floats:
    """Return who is above whom, (positives, negatives): 1, or one half for a tie."""
    difference = scores[is_positive][:, None] - scores[~is_positive]
    above: Floats = (difference > 0) + (difference == 0) / 2
    return above


def sample(rows: int, seed: int) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    generator = np.random.default_rng(seed)
    is_positive = generator.random(rows) < 0.4
    scores = generator.normal(size=(2, rows)) + generator.normal(size=rows) + is_positive
    return scores[0].round(1), scores[1].round(1), is_positive  # rounded, so that there are ties


@pytest.mark.parametrize(("rows", "seed"), [(12, 0), (60, 1), (400, 2)])
def test_delong_equals_the_loop_over_pairs(rows: int, seed: int) -> None:
    a, b, is_positive = sample(rows, seed)
    difference = pairs(a, is_positive) - pairs(b, is_positive)
    of_positives, of_negatives = difference.mean(axis=1), difference.mean(axis=0)
    variance = of_positives.var(ddof=1) / len(of_positives)
    variance += of_negatives.var(ddof=1) / len(of_negatives)
    result = delong(a, b, is_positive)
    area_a, area_b = roc_auc_score(is_positive, a), roc_auc_score(is_positive, b)
    assert result.value == pytest.approx(area_a - area_b, abs=1e-9)
    assert result.standard_error**2 == pytest.approx(variance, abs=1e-9)
    z = (area_a - area_b) / math.sqrt(variance)
    assert result.test.p == pytest.approx(2 * stats.norm.sf(abs(z)), abs=1e-9)
    assert result.high - result.value == pytest.approx(1.959963985 * math.sqrt(variance), abs=1e-9)


def test_interval_by_hand() -> None:
    # Positives 2 and 4, negatives 1 and 3: shares below are 1 / 2 and 1, shares above 1 and 1 / 2.
    # The area is 3 / 4, and each kind gives the variance (1 / 8) / 2: in all 1 / 8.
    area, low, high = delong_interval([2, 4, 1, 3], [True, True, False, False], is_logit=False)
    assert area == pytest.approx(0.75)
    reach = 1.959963985 * math.sqrt(1 / 8)
    assert (low, high) == pytest.approx((0.75 - reach, 0.75 + reach), abs=1e-9)
    odds, reach = math.log(3), reach / (0.75 * 0.25)
    _, low, high = delong_interval([2, 4, 1, 3], [True, True, False, False])
    assert low == pytest.approx(1 / (1 + math.exp(reach - odds)), abs=1e-9)
    assert high == pytest.approx(1 / (1 + math.exp(-reach - odds)), abs=1e-9)


def test_a_perfect_area_has_no_interval() -> None:
    area, low, high = delong_interval([1, 2, 3, 4], [False, False, True, True])
    assert area == 1
    assert math.isnan(low)
    assert math.isnan(high)


def test_the_same_scores_do_not_differ() -> None:
    a, _, is_positive = sample(60, 1)
    result = delong(a, a, is_positive)
    assert (result.value, result.test.p) == (0, 1)
    assert math.isnan(result.low)


@pytest.mark.parametrize("is_positive", [[True, False, False], [True, True, True], [True, False]])
def test_too_few_examples_of_a_kind_are_refused(is_positive: list[bool]) -> None:
    with pytest.raises(ValueError, match="2 examples of either kind"):
        delong([1, 2, 3], [3, 1, 2], is_positive)


def test_missing_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="1 scores are NaN"):
        delong_interval([1, 2, math.nan, 4], [True, True, False, False])
