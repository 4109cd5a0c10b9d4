"""Tests of differences: scipy, definitions spelled out, and numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ftcore.significance import paired
from ftcore.significance.paired import (
    corrected_interval,
    corrected_t,
    exact_p,
    holm,
    mcnemar,
    needed,
)

COUNTS = [(0, 1), (3, 9), (9, 3), (1, 6), (20, 41), (300, 250), (4000, 4200), (0, 2000)]


@pytest.mark.parametrize(("only_a", "only_b"), COUNTS)
def test_exact_p_equals_scipy(only_a: int, only_b: int) -> None:
    expected = stats.binomtest(only_a, only_a + only_b).pvalue
    assert exact_p(only_a, only_b) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("only_a", "only_b"), COUNTS)
def test_mcnemar_takes_half_the_probability_of_what_was_seen(only_a: int, only_b: int) -> None:
    total, least = only_a + only_b, min(only_a, only_b)
    below = stats.binom.cdf(least - 1, total, 0.5)
    expected = 2 * (below + stats.binom.pmf(least, total, 0.5) / 2)
    test = mcnemar(only_a, only_b)
    assert test.p == pytest.approx(expected, abs=1e-9)
    assert test.statistic == pytest.approx((only_a - only_b) ** 2 / total)


def test_mcnemar_by_hand() -> None:
    # Of 2^7 sequences of 1 and 6, 1 is more extreme on either side and 7 are as extreme.
    assert mcnemar(1, 6).p == pytest.approx(2 * (1 + 7 / 2) / 128)
    # Equal counts: all else is more extreme, and half of what was seen, 6 of 16.
    assert mcnemar(2, 2).p == pytest.approx(1 - 6 / 16 / 2)
    assert mcnemar(0, 0) == paired.Test(0.0, 1.0, "McNemar, mid-p")


def test_mcnemar_comes_near_the_chi_square_test_for_large_counts() -> None:
    test = mcnemar(5000, 5200)
    assert test.p == pytest.approx(stats.chi2.sf(test.statistic, 1), abs=1e-4)


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="discordant counts are -1 and 3"):
        mcnemar(-1, 3)


def test_corrected_t_by_hand() -> None:
    # Mean 0.02, variance 0.0001; the standard error is sqrt(0.0001 (1 / 3 + 1 / 2)).
    result = corrected_t([0.01, 0.02, 0.03], 0.5)
    error = 0.01 * math.sqrt(5 / 6)
    assert result.value == pytest.approx(0.02, abs=1e-12)
    assert result.standard_error == pytest.approx(error, abs=1e-12)
    assert result.test.statistic == pytest.approx(0.02 / error, abs=1e-9)
    # With 2 degrees of freedom P(|T| > t) = 1 - t / sqrt(2 + t²) and t(0.975) is 4.302653.
    t = 0.02 / error
    assert result.test.p == pytest.approx(1 - t / math.sqrt(2 + t * t), abs=1e-9)
    assert result.high - result.value == pytest.approx(4.30265273 * error, abs=1e-9)
    assert result.test.method == "corrected resampled t, 2 degrees of freedom"


def test_without_correction_corrected_t_is_the_paired_t_test() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 9))
    expected = stats.ttest_rel(a, b)
    result = corrected_t(a - b, 0)
    assert result.test.statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert result.test.p == pytest.approx(expected.pvalue, abs=1e-9)
    interval = expected.confidence_interval(0.95)
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high), abs=1e-9)


def test_corrected_interval_is_that_of_the_mean() -> None:
    mean, low, high = corrected_interval([0.8, 0.9, 0.7], 0.25)
    assert mean == pytest.approx(0.8)
    reach = 4.30265273 * 0.1 * math.sqrt(1 / 3 + 1 / 4)
    assert (low, high) == pytest.approx((0.8 - reach, 0.8 + reach), abs=1e-9)


@pytest.mark.parametrize(("difference", "p"), [(0.0, 1.0), (0.1, math.nan), (1 / 3, math.nan)])
def test_folds_that_all_agree_have_no_interval(difference: float, p: float) -> None:
    result = corrected_t([difference] * 5, 0.25)
    assert result.value == pytest.approx(difference)
    assert math.isnan(result.low)
    assert math.isnan(result.high)
    assert result.test.p == pytest.approx(p, nan_ok=True)


@pytest.mark.parametrize("values", [[0.1], [], [0.1, math.nan], [[0.1, 0.2]]])
def test_too_few_folds_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="needs 2 finite numbers or more"):
        corrected_t(values, 0.25)


def test_holm_by_hand() -> None:
    # Times 4, 3, 2 and 1 in the order of size, each no less than the one before.
    assert holm([0.04, 0.01, 0.03, 0.005]) == pytest.approx([0.06, 0.03, 0.06, 0.02], abs=1e-12)
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_equals_its_definition() -> None:
    generator = np.random.default_rng(1)
    for _ in range(50):
        p = generator.random(7) ** 3
        rank = stats.rankdata(p, method="ordinal")
        scaled = np.minimum(1, (8 - rank) * p)
        expected = [scaled[rank <= own].max() for own in rank]
        assert holm(p.tolist()) == pytest.approx(expected, abs=1e-12)


def test_holm_counts_what_is_undefined_and_leaves_it() -> None:
    assert holm([0.01, math.nan, 0.5]) == pytest.approx([0.03, math.nan, 1.0], nan_ok=True)


def test_needed_by_hand() -> None:
    # (1.959964 + 0.841621)² = 7.84888: so many squared standard errors must be in the difference.
    assert needed(100, 0.1, 0.1) == 785 - 100
    assert needed(100, -0.1, 0.1) == 785 - 100
    assert needed(100, 0.3, 0.1) == 0
    assert needed(100, 0.1, 0.1, power=0.5) == 385 - 100
    assert needed(100, 0.0, 0.1) is None
    assert needed(100, math.nan, 0.1) is None


def test_needed_units_give_the_power() -> None:
    n, difference, spread = 50, 0.2, 1.0
    total = n + (needed(n, difference, spread / math.sqrt(n)) or 0)
    means = np.random.default_rng(2).normal(difference, spread / math.sqrt(total), size=20_000)
    assert (np.abs(means) * math.sqrt(total) > 1.959964).mean() == pytest.approx(0.8, abs=0.02)
