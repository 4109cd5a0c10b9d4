"""Differences from replicates over test units: of one pair of runs, and of seeds."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ftcore.studies.significance import LEVEL, ROUNDING, Difference, Test


def paired_bootstrap_interval(replicates: ArrayLike, value: float) -> Difference:
    """Return a difference with its percentile interval and p, from bootstrap replicates (R,).

    Each replicate is the difference on one draw of test units, the same for both runs. p is twice
    the smaller share of replicates on one side of 0, counting the value itself as one more, so
    that it agrees with the interval (Efron & Tibshirani 1993, chapters 13 and 15). Replicates that
    are not finite are left out; where all others are the same there is no interval.
    """
    drawn = _finite(replicates)
    count, method = len(drawn), f"paired bootstrap, {len(drawn)} draws"
    if count == 0 or np.ptp(drawn) <= ROUNDING * max(1.0, abs(value)):
        p = 1.0 if value == 0 else math.nan
        return Difference(value, math.nan, math.nan, 0.0, Test(math.nan, p, method))
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]).tolist()
    error = float(drawn.std(ddof=1))
    side = min(np.count_nonzero(drawn <= 0), np.count_nonzero(drawn >= 0))
    p = min(1.0, 2 * (side + 1) / (count + 1))
    test = Test(value / error, p, method)
    return Difference(value, min(low, value), max(high, value), error, test)


def permutation(replicates: ArrayLike, value: float) -> Test:
    """Return the test of a difference beside those (R,) with the runs exchanged at random.

    Each replicate is the difference after the two runs' results were exchanged on each test unit
    with probability one half. p is the share of differences at least as large as `value`, which
    itself counts as one of them (Phipson & Smyth 2010, doi:10.2202/1544-6115.1585).
    """
    drawn = _finite(replicates)
    if len(drawn) == 0 or not math.isfinite(value):
        return Test(value, math.nan, f"permutation, {len(drawn)} draws")
    slack = ROUNDING * max(1.0, abs(value))  # sums in another order are no other differences
    extreme = np.count_nonzero(np.abs(drawn) >= abs(value) - slack)
    return Test(value, (extreme + 1) / (len(drawn) + 1), f"permutation, {len(drawn)} draws")


def combined(
    values_a: ArrayLike, values_b: ArrayLike, replicates_a: ArrayLike, replicates_b: ArrayLike
) -> Difference:
    """Return the difference of the seed means of two configurations, on the same test units.

    Values are (S,) scores, one a seed, and replicates (S, R) their bootstrap replicates, where one
    draw of test units gives the r-th of all runs. S may differ; both need 2 seeds or more.

    The variance is that of test sampling, plus s² / S of either's seeds. s² is what seeds differ by
    on these units, hence a part of it, interaction of seeds and units, is in the replicates of the
    seed means too; it is the growth of s² in the replicates, and counted once. The t quantile has
    the degrees of freedom of Satterthwaite 1946, where test sampling has infinitely many.
    """
    from scipy.special import stdtr, stdtrit

    scores = [_seeds(values_a, "a"), _seeds(values_b, "b")]
    drawn = [_draws(replicates_a, scores[0], "a"), _draws(replicates_b, scores[1], "b")]
    is_finite = np.isfinite(drawn[0]).all(axis=0) & np.isfinite(drawn[1]).all(axis=0)
    drawn = [each[:, is_finite] for each in drawn]
    seeds = [float(each.var(ddof=1)) / len(each) for each in scores]
    shared = [
        float(each.var(axis=0, ddof=1).mean()) / len(each) - seed
        for each, seed in zip(drawn, seeds, strict=True)
    ]
    sampling = float((drawn[0].mean(axis=0) - drawn[1].mean(axis=0)).var(ddof=1))
    variance = max(0.0, sampling - sum(max(0.0, part) for part in shared)) + sum(seeds)
    value = float(scores[0].mean() - scores[1].mean())
    if variance <= (ROUNDING * max(1.0, abs(value))) ** 2:
        p = 1.0 if value == 0 else math.nan
        test = Test(math.nan, p, "seeds and paired bootstrap, all the same")
        return Difference(value, math.nan, math.nan, 0.0, test)
    noise = sum(seed**2 / (len(each) - 1) for each, seed in zip(scores, seeds, strict=True))
    freedom = variance**2 / noise if noise else math.inf
    error = math.sqrt(variance)
    reach = float(stdtrit(min(freedom, 1e9), (1 + LEVEL) / 2)) * error
    p = 2 * float(stdtr(min(freedom, 1e9), -abs(value) / error))
    method = f"seeds and paired bootstrap, t with {freedom:.3g} degrees of freedom"
    return Difference(value, value - reach, value + reach, error, Test(value / error, p, method))


def _finite(replicates: ArrayLike) -> NDArray[np.float64]:
    drawn = np.asarray(replicates, dtype=np.float64)
    return drawn[np.isfinite(drawn)]


def _seeds(values: ArrayLike, name: str) -> NDArray[np.float64]:
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1 or len(scores) < 2 or not np.isfinite(scores).all():
        raise ValueError(
            f"configuration {name} has scores {scores.tolist()}; how much seeds differ takes 2 "
            "finite ones or more"
        )
    return scores


def _draws(replicates: ArrayLike, scores: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    drawn = np.asarray(replicates, dtype=np.float64)
    if drawn.ndim != 2 or len(drawn) != len(scores):
        raise ValueError(
            f"configuration {name} has {len(scores)} scores but replicates {drawn.shape}; they "
            "are (seeds, draws)"
        )
    return drawn
