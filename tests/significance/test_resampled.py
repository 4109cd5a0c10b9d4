"""Differences from replicates: quantiles, shares and variances worked out beside them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ftcore.significance.resampled import (
    combined,
    paired_bootstrap_interval,
    permutation,
    seed_mean,
)


def test_interval_and_p_are_those_of_a_normal_value() -> None:
    drawn = np.arange(-50.0, 50.0)
    error = math.sqrt((100**2 - 1) / 12 * 100 / 99)
    result = paired_bootstrap_interval(drawn, 40.0)
    assert result.standard_error == pytest.approx(error)
    assert (result.low, result.high) == pytest.approx(
        (40 - 1.959963985 * error, 40 + 1.959963985 * error), abs=1e-6
    )
    assert result.test.p == pytest.approx(2 * stats.norm.sf(40 / error), abs=1e-9)
    assert result.test.method == "paired bootstrap, 100 draws"


def test_of_a_mean_with_its_units_they_are_those_of_the_paired_t_test() -> None:
    differences = np.random.default_rng(3).normal(0.3, 1, size=25)
    expected = stats.ttest_1samp(differences, 0)
    # The exact variance of the bootstrap's mean, as two replicates.
    spread = differences.std() / math.sqrt(25) / math.sqrt(2)
    mean = float(differences.mean())
    result = paired_bootstrap_interval([mean - spread, mean + spread], mean, 25)
    assert result.test.p == pytest.approx(expected.pvalue, abs=1e-9)
    interval = expected.confidence_interval(0.95)
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high), abs=1e-9)


def test_one_unit_says_nothing() -> None:
    assert math.isnan(paired_bootstrap_interval([0.0, 1.0], 0.5, 1).test.p)


def test_replicates_that_all_agree_say_nothing() -> None:
    assert paired_bootstrap_interval([0.0] * 9, 0.0).test.p == 1
    other = paired_bootstrap_interval([0.1, 0.1, math.nan], 0.1)
    assert math.isnan(other.test.p)
    assert math.isnan(other.low)


def test_permutation_counts_what_is_as_extreme() -> None:
    drawn = [0.1, -0.3, 0.2, -0.2, 0.0, math.nan, 0.1 + 0.1 + 1e-16]
    test = permutation(drawn, 0.2)
    # One is larger; three and the difference itself are as large.
    assert test.p == pytest.approx((1 + 4 / 2) / (6 + 1))
    assert test.method == "permutation, 6 draws"
    assert permutation([0.0, 0.1], 0.0).p == 1
    assert math.isnan(permutation([], 0.2).p)


def test_variances_of_seeds_and_units_add_up() -> None:
    generator = np.random.default_rng(0)
    # All runs have the same error on a draw of units, up to a factor: no interaction to take out.
    shift = generator.normal(size=4000)
    a, b = np.array([0.7, 0.8, 0.9]), np.array([0.5, 0.6])
    result = combined(a, b, a[:, None] + 0.05 * shift, b[:, None] + 0.02 * shift)
    seeds = 0.1**2 / 3, 0.005 / 2
    variance = (0.03 * shift.std(ddof=1)) ** 2 + sum(seeds)
    assert result.value == pytest.approx(0.25)
    assert result.standard_error == pytest.approx(math.sqrt(variance), abs=1e-9)
    freedom = variance**2 / (seeds[0] ** 2 / 2 + seeds[1] ** 2)
    assert result.high - 0.25 == pytest.approx(
        stats.t.ppf(0.975, freedom) * variance**0.5, abs=1e-9
    )
    p = 2 * stats.t.sf(0.25 / math.sqrt(variance), freedom)
    assert result.test.p == pytest.approx(p, abs=1e-9)


def test_what_seeds_and_units_make_together_counts_once() -> None:
    # Each run has an error of its own on a draw of units, of variance 0.04, and nothing else: the
    # difference of two means of 4 has 2 * 0.04 / 4.
    generator = np.random.default_rng(1)
    variances = []
    for _ in range(400):
        a, b = generator.normal(0, 0.2, size=(2, 4))
        drawn = [scores[:, None] + generator.normal(0, 0.2, size=(4, 500)) for scores in (a, b)]
        variances.append(combined(a, b, *drawn).standard_error ** 2)
    assert np.mean(variances) == pytest.approx(0.02, rel=0.06)


def test_runs_that_all_agree_do_not_differ() -> None:
    same = np.full(3, 0.5)
    result = combined(same, same, np.full((3, 9), 0.5), np.full((3, 9), 0.5))
    assert (result.value, result.test.p) == (0, 1)
    assert math.isnan(result.low)


def test_one_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="configuration b has scores"):
        combined([0.1, 0.2], [0.1], np.zeros((2, 9)), np.zeros((1, 9)))


def test_replicates_that_fit_no_scores_are_refused() -> None:
    with pytest.raises(ValueError, match=r"configuration a has 2 scores but replicates \(3, 9\)"):
        combined([0.1, 0.2], [0.1, 0.3], np.zeros((3, 9)), np.zeros((2, 9)))


def test_seed_mean_covers_the_true_mean() -> None:
    """Scores are mu + an error all seeds share + one of each seed; the draws know the first."""
    generator = np.random.default_rng(0)
    count, seeds, draws = 500, 4, 200
    shared = generator.normal(0, 0.03, count)
    own = generator.normal(0, 0.02, (count, seeds))
    held = 0
    for run in range(count):
        values = 0.8 + shared[run] + own[run]
        drawn = values[:, None] + generator.normal(0, 0.03, draws)[None]
        interval = seed_mean(values, drawn)
        held += interval.low <= 0.8 <= interval.high
    assert 0.92 <= held / count <= 0.98


def test_what_does_not_vary_has_no_interval() -> None:
    interval = seed_mean(np.full(3, 0.5), np.full((3, 10), 0.5))
    assert interval.value == 0.5
    assert np.isnan(interval.low)


def test_seed_mean_by_hand() -> None:
    # Seeds that differ by sqrt(0.02) on draws that shift both alike by 0.05.
    shift = 0.05 * np.array([-1.0, 1.0]) / math.sqrt(2)
    scores = np.array([0.5, 0.7])
    mean, low, high = seed_mean(scores, scores[:, None] + shift)
    reach = math.sqrt(1.959963985**2 * 0.05**2 + 12.7062047**2 * 0.02 / 2)
    assert mean == pytest.approx(0.6)
    assert (low, high) == pytest.approx((0.6 - reach, 0.6 + reach), abs=1e-7)
