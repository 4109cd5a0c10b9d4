"""Differences from replicates over test units: of one pair of runs, and of seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ftcore.significance.paired import LEVEL, ROUNDING, Difference, Interval, Test, student

Floats: TypeAlias = NDArray[np.float64]


def paired_bootstrap_interval(
    replicates: ArrayLike, value: float, units: int | None = None
) -> Difference:
    """Return a difference with its interval and test, from bootstrap replicates (R,).

    Each replicate is the difference on one draw of test units, the same for both runs. Their
    standard deviation is the standard error, and the interval and p are those of a normal value:
    differences of runs are nearly symmetric, where quantiles of replicates (percentile, BCa) hold
    the truth less often, and their p cannot be below 2 / R (Efron & Tibshirani 1993, chapters 6
    and 12). Given how many units there are, Student's t is used, and the variance that the
    bootstrap lacks, one in `units`, is made up for.

    Replicates that are not finite are left out; where all others are the same there is no
    interval, and p is NaN unless the difference is 0.
    """
    drawn = _finite(replicates)
    error = _spread(drawn, value)
    if units is not None:
        error *= math.sqrt(units / (units - 1)) if units > 1 else 0.0
    freedom = math.inf if units is None else units - 1
    return student(value, error, freedom, f"paired bootstrap, {len(drawn)} draws")


def permutation(replicates: ArrayLike, value: float) -> Test:
    """Return the test of a difference beside those (R,) with the runs exchanged at random.

    Each replicate is the difference after the two runs' results were exchanged on each test unit
    with probability one half. p is the share of differences that are larger than `value`, those as
    large counting one half, as in `mcnemar`; `value` itself counts as one of the latter, so that p
    is never 0 (Phipson & Smyth 2010, doi:10.2202/1544-6115.1585).
    """
    drawn = _finite(replicates)
    if len(drawn) == 0 or not math.isfinite(value):
        return Test(value, math.nan, f"permutation, {len(drawn)} draws")
    slack = ROUNDING * max(1.0, abs(value))  # sums in another order are no other differences
    larger = np.count_nonzero(np.abs(drawn) > abs(value) + slack)
    as_large = np.count_nonzero(np.abs(drawn) >= abs(value) - slack) - larger
    p = (larger + (as_large + 1) / 2) / (len(drawn) + 1) if abs(value) > slack else 1.0
    return Test(value, p, f"permutation, {len(drawn)} draws")


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
    a, b = _Seeds.of("a", values_a, replicates_a), _Seeds.of("b", values_b, replicates_b)
    is_finite = _is_finite(np.concatenate([a.drawn, b.drawn]))
    value = float(a.scores.mean() - b.scores.mean())
    of_means = (a.drawn.mean(axis=0) - b.drawn.mean(axis=0))[is_finite]
    shared = a.interaction(is_finite) + b.interaction(is_finite)
    units = max(0.0, _spread(of_means, value) ** 2 - shared)
    variance = units + a.variance + b.variance
    noise = sum(each.variance**2 / (len(each.scores) - 1) for each in (a, b))
    freedom = variance**2 / noise if noise else math.inf
    method = f"seeds and paired bootstrap, t with {freedom:.3g} degrees of freedom"
    return student(value, math.sqrt(variance), freedom, method)


def seed_mean(values: ArrayLike, replicates: ArrayLike) -> Interval:
    """Return the mean score (S,) of one configuration's seeds, with its interval.

    Replicates are (S, R), and the variance has the parts that it has in `combined`. Each part has
    its own quantile: the interval reaches sqrt(z² test sampling + t² s² / S) to either side, with
    t of S - 1 degrees of freedom. Satterthwaite's would be far too many whenever few seeds happen
    to agree, and there is no second configuration to make that rare.
    """
    from scipy.special import ndtri, stdtrit

    seeds = _Seeds.of("of the study", values, replicates)
    is_finite = _is_finite(seeds.drawn)
    mean, level = float(seeds.scores.mean()), (1 + LEVEL) / 2
    of_mean = seeds.drawn.mean(axis=0)[is_finite]
    units = max(0.0, _spread(of_mean, mean) ** 2 - seeds.interaction(is_finite))
    if units + seeds.variance == 0:
        return Interval(mean, math.nan, math.nan)
    t, z = float(stdtrit(len(seeds.scores) - 1, level)), float(ndtri(level))
    reach = math.sqrt(z**2 * units + t**2 * seeds.variance)
    return Interval(mean, mean - reach, mean + reach)


@dataclass(frozen=True)
class _Seeds:
    """The scores (S,) of one configuration's seeds, and their replicates (S, R)."""

    scores: Floats
    drawn: Floats

    @classmethod
    def of(cls, name: str, values: ArrayLike, replicates: ArrayLike) -> _Seeds:
        scores, drawn = np.asarray(values, np.float64), np.asarray(replicates, np.float64)
        if scores.ndim != 1 or len(scores) < 2 or not np.isfinite(scores).all():
            raise ValueError(
                f"configuration {name} has scores {scores.tolist()}; how much seeds differ takes 2 "
                "finite ones or more"
            )
        if drawn.ndim != 2 or len(drawn) != len(scores):
            raise ValueError(
                f"configuration {name} has {len(scores)} scores but replicates {drawn.shape}; they "
                "are (seeds, draws)"
            )
        return cls(scores, drawn)

    @property
    def variance(self) -> float:
        """s² / S, the variance of the mean that seeds and their interaction with units make."""
        spread = np.ptp(self.scores) > ROUNDING * np.abs(self.scores).max()
        return float(self.scores.var(ddof=1)) / len(self.scores) if spread else 0.0

    def interaction(self, is_finite: NDArray[np.bool_]) -> float:
        """Return the part of it that drawing units anew makes once more."""
        if not is_finite.any():
            return 0.0
        grown = float(self.drawn[:, is_finite].var(axis=0, ddof=1).mean()) / len(self.scores)
        return max(0.0, grown - self.variance)


def _is_finite(drawn: Floats) -> NDArray[np.bool_]:
    """Return which draws (R,) all runs (S, R) have a value of."""
    return np.asarray(np.isfinite(drawn).all(axis=0))


def _spread(drawn: Floats, value: float) -> float:
    """Return the standard deviation of replicates, 0 where they are the same or too few."""
    if len(drawn) < 2 or np.ptp(drawn) <= ROUNDING * max(1.0, abs(value)):
        return 0.0
    return float(drawn.std(ddof=1))


def _finite(replicates: ArrayLike) -> Floats:
    drawn = np.asarray(replicates, dtype=np.float64)
    return drawn[np.isfinite(drawn)]
