"""The variance of areas under ROC curves, and of their difference (DeLong)."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ftcore.significance.paired import LEVEL, ROUNDING, Difference, Interval, student

Floats: TypeAlias = NDArray[np.float64]


def delong(scores_a: ArrayLike, scores_b: ArrayLike, is_positive: ArrayLike) -> Difference:
    """Return the difference of two areas under ROC curves, a - b, of the same N examples.

    DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44, by midranks: Sun & Xu 2014, IEEE Signal
    Processing Letters 21. Scores (N,) are higher for examples that look positive; ties count one
    half. At least 2 examples must be positive, and 2 not.
    """
    a, b = _placements(scores_a, is_positive), _placements(scores_b, is_positive)
    value, error = _mean_and_error(a[0] - b[0], a[1] - b[1])
    return student(value, error, math.inf, "DeLong")


def delong_interval(
    scores: ArrayLike, is_positive: ArrayLike, *, is_logit: bool = True
) -> Interval:
    """Return an area under the ROC curve with its interval, made on the scale log(A / (1 - A)).

    On that scale it stays within 0 and 1 and holds the truth more often where the area is near 1
    (Pepe 2003, chapter 5); without `is_logit` it is the symmetric one. There is none at 0 and 1.
    """
    from scipy.special import expit, logit, ndtri

    area, error = _mean_and_error(*_placements(scores, is_positive))
    if error == 0 or not 0 < area < 1:
        return Interval(area, math.nan, math.nan)
    reach = float(ndtri((1 + LEVEL) / 2)) * error
    if not is_logit:
        return Interval(area, area - reach, area + reach)
    centre, reach = float(logit(area)), reach / (area * (1 - area))
    return Interval(area, float(expit(centre - reach)), float(expit(centre + reach)))


def _placements(scores: ArrayLike, is_positive: ArrayLike) -> tuple[Floats, Floats]:
    """Return the share of negatives below each positive, and of positives above each negative."""
    values, chosen = np.asarray(scores, dtype=np.float64), np.asarray(is_positive, dtype=bool)
    positives, negatives = int(chosen.sum()), int((~chosen).sum())
    if values.shape != chosen.shape or values.ndim != 1 or min(positives, negatives) < 2:
        raise ValueError(
            f"scores {values.shape} of {positives} positive and {negatives} negative examples; "
            "DeLong's variance takes one score each, and 2 examples of either kind"
        )
    if np.isnan(values).any():
        raise ValueError(f"{np.isnan(values).sum()} scores are NaN; leave their examples out")
    positive, negative = np.sort(values[chosen]), np.sort(values[~chosen])
    below = _midranks(values[chosen], negative) / negatives
    above = 1 - _midranks(values[~chosen], positive) / positives
    return below, above


def _midranks(values: Floats, ordered: Floats) -> Floats:
    # How many of `ordered` are below each value, where one that is equal counts half.
    right = np.searchsorted(ordered, values, side="right")
    return (np.searchsorted(ordered, values) + right) / 2


def _mean_and_error(of_positives: Floats, of_negatives: Floats) -> tuple[float, float]:
    variance = of_positives.var(ddof=1) / len(of_positives)
    variance += of_negatives.var(ddof=1) / len(of_negatives)
    error = math.sqrt(variance)
    return float(of_positives.mean()), error if error > ROUNDING else 0.0
