"""Intervals from bootstrap replicates of a value."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
_BIASED = 0.25  # standard errors, below which Efron & Tibshirani 1993, 10.3, let a bias pass
_ROUNDING = 1e-12
_NORMAL = NormalDist()


def bootstrap_interval(
    drawn: NDArray[np.float64], value: float, units: int
) -> tuple[float, float, str] | None:
    """Return the ends of the 95 % interval of a value, and their name; None for no spread.

    `drawn` (R,) holds the value of R replicates of `units` units. The interval is BCa (Efron 1987,
    JASA 82): quantiles of the replicates at levels that allow for a value that is not their median
    and for a spread that changes with the value. The acceleration is a sixth of the replicates'
    skewness, which for a mean is the usual estimate. Quantiles lie as far out as Student's t and
    the bootstrap's variance, which lacks one in `units`, ask for (Hesterberg 2015, 5.2).

    Where the replicates' mean is off the value by more than a quarter of their standard deviation,
    as for the calibration error, so is the value off the truth, and the replicates are no guide to
    where it lies, but only to how far. The interval then holds both the basic one, the replicates
    reflected about the value, and the normal one. It ends at 0 or at 1 where no replicate is beyond
    it.
    """
    spread = float(drawn.std(ddof=1)) if len(drawn) > 1 else 0.0
    if units < 2 or spread == 0 or np.ptp(drawn) <= _ROUNDING * max(1.0, abs(value)):
        return None
    reach = _reach(units)
    if abs(float(drawn.mean()) - value) > _BIASED * spread:
        inner, outer = np.quantile(drawn, [_NORMAL.cdf(-reach), _NORMAL.cdf(reach)]).tolist()
        low = min(2 * value - outer, value - reach * spread)
        high = max(2 * value - inner, value + reach * spread)
        floor = 0.0 if drawn.min() >= 0 else -math.inf
        ceiling = 1.0 if drawn.max() <= 1 else math.inf
        return max(floor, low), min(ceiling, high), "basic and normal bootstrap"
    levels = _levels(drawn, value, reach)
    low, high = np.quantile(drawn, levels).tolist()
    return min(low, value), max(high, value), "BCa bootstrap"


def _reach(units: int) -> float:
    """Return how many bootstrap standard errors a normal interval reaches to either side."""
    from scipy.special import stdtrit

    return float(stdtrit(units - 1, (1 + LEVEL) / 2)) * math.sqrt(units / (units - 1))


def _levels(drawn: NDArray[np.float64], value: float, reach: float) -> tuple[float, float]:
    below = np.count_nonzero(drawn < value) + np.count_nonzero(drawn == value) / 2
    share = min(max(below / len(drawn), 1 / len(drawn)), 1 - 1 / len(drawn))
    centred = drawn - drawn.mean()
    acceleration = float(np.mean(centred**3) / np.mean(centred**2) ** 1.5) / 6
    bias = _NORMAL.inv_cdf(share)
    low, high = (bias + side * reach for side in (-1, 1))
    # A denominator at or below 0 asks for the outermost replicate.
    scaled = [w / max(1 - acceleration * w, _ROUNDING) for w in (low, high)]
    return _NORMAL.cdf(bias + scaled[0]), _NORMAL.cdf(bias + scaled[1])
