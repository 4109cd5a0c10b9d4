"""Tests and intervals of differences that are measured on the same test units or folds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95
ROUNDING = 1e-12  # of the largest value: a spread below it is none


@dataclass(frozen=True)
class Test:
    """A two-sided test of no difference; p is NaN where the data cannot say."""

    statistic: float
    p: float
    method: str


class Interval(NamedTuple):
    """A value and the ends of its 95 % interval, which are NaN where there is none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """A difference with its 95 % interval (NaN where there is none), and its test against 0."""

    value: float
    low: float
    high: float
    standard_error: float
    test: Test


def student(value: float, error: float, freedom: float, method: str) -> Difference:
    """Return a difference by Student's t with so many degrees of freedom; inf for a normal value.

    Without an error there is no interval, and p is NaN unless the difference is 0 too.
    """
    from scipy.special import ndtr, ndtri, stdtr, stdtrit

    if error == 0:
        p = 1.0 if value == 0 else math.nan
        return Difference(value, math.nan, math.nan, 0.0, Test(math.nan, p, method))
    level, statistic = (1 + LEVEL) / 2, value / error
    if math.isinf(freedom):
        quantile, tail = ndtri(level), ndtr(-abs(statistic))
    else:
        quantile, tail = stdtrit(freedom, level), stdtr(freedom, -abs(statistic))
    reach, test = float(quantile) * error, Test(statistic, 2 * float(tail), method)
    return Difference(value, value - reach, value + reach, error, test)


def mcnemar(only_a: int, only_b: int) -> Test:
    """Return the mid-p test of two classifiers, of which one alone is right on so many units.

    p is that of the exact test given only_a + only_b, less half the probability of what was seen
    (Fagerland, Lydersen & Laake 2013, BMC Medical Research Methodology 13:91): the exact test
    rejects too rarely, for counts are discrete, and this one is near 5 % for any counts. The
    statistic is McNemar's, 1947, without correction: (a - b)² / (a + b), or 0.
    """
    from scipy.special import gammaln

    total = _discordant(only_a, only_b)
    log_chance = gammaln(total + 1) - gammaln(only_a + 1) - gammaln(only_b + 1)
    chance = math.exp(log_chance - total * math.log(2))
    p = exact_p(only_a, only_b) - chance if only_a != only_b else 1 - chance / 2
    statistic = (only_a - only_b) ** 2 / total if total else 0.0
    return Test(statistic, p if total else 1.0, "McNemar, mid-p")


def exact_p(only_a: int, only_b: int) -> float:
    """Return the two-sided exact binomial p of `mcnemar`, which is above 5 % more often."""
    from scipy.special import bdtr

    total = _discordant(only_a, only_b)
    return min(1.0, 2 * float(bdtr(min(only_a, only_b), total, 0.5)))


def _discordant(only_a: int, only_b: int) -> int:
    if only_a < 0 or only_b < 0:
        raise ValueError(f"discordant counts are {only_a} and {only_b}; they must be 0 or more")
    return only_a + only_b


def corrected_t(differences: ArrayLike, test_over_train: float) -> Difference:
    """Return the corrected resampled t-test of differences (J,), one for each fold or split.

    The training sets of folds overlap, so that s² / J is too small a variance of the mean; it is
    s² (1 / J + test_over_train), the latter being test examples over training examples: 1 / 4 for
    5 folds. Nadeau & Bengio 2003, Machine Learning 52. Runs of one fold with several seeds are
    not new folds: average them first.

    Where all J differences are the same there is no interval, and p is NaN unless they are 0.
    """
    values, error = _corrected(differences, test_over_train)
    freedom = len(values) - 1
    method = f"corrected resampled t, {freedom} degrees of freedom"
    return student(float(values.mean()), error, freedom, method)


def corrected_interval(values: ArrayLike, test_over_train: float) -> Interval:
    """Return the mean of scores (J,), one for each fold, with the interval of `corrected_t`."""
    mean = corrected_t(values, test_over_train)
    return Interval(mean.value, mean.low, mean.high)


def _corrected(values: ArrayLike, test_over_train: float) -> tuple[NDArray[np.float64], float]:
    """Return the values as an array and the standard error of their mean."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise ValueError(f"a test over folds needs 2 finite numbers or more, not {values.tolist()}")
    if not test_over_train >= 0:
        raise ValueError(f"test examples over training examples is {test_over_train}; it is >= 0")
    if np.ptp(values) <= ROUNDING * np.abs(values).max():
        return values, 0.0
    return values, math.sqrt(float(values.var(ddof=1)) * (1 / len(values) + test_over_train))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for how many there are; NaN stays, and counts as one of them.

    Rejecting those at most 5 % keeps the chance of one or more false rejections at 5 %, whatever
    their dependence. Holm 1979, Scandinavian Journal of Statistics 6.
    """
    adjusted, largest = [math.nan] * len(p_values), 0.0
    ranked = sorted(
        (place for place, p in enumerate(p_values) if not math.isnan(p)), key=p_values.__getitem__
    )
    for rank, place in enumerate(ranked):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def needed(n: int, difference: float, standard_error: float, power: float = 0.8) -> int | None:
    """Return how many test units beyond n would show a difference as large as this one.

    That is, with probability `power`, at 5 %, if it stays as large and its standard error falls as
    1 / sqrt(n): both normal, as for a mean. 0 where n are enough, None where the difference is 0.
    """
    from scipy.special import ndtri

    if difference == 0 or not math.isfinite(difference + standard_error):
        return None
    ratio = float(ndtri((1 + LEVEL) / 2) + ndtri(power)) * standard_error / abs(difference)
    return max(0, math.ceil(n * ratio**2) - n)
