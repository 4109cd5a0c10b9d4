"""Ratios of sums over units, such as F1 of spans and word error rate, and plain means.

A ratio of sums is no mean of ratios: units with a larger denominator weigh more, and each replicate
has numerator and denominator of the same units.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ftcore.errors import DataError
from ftcore.resampling.arguments import Floats, Ints, as_numbers, check_shape, make_plan, units_of
from ftcore.resampling.library import functions


def bootstrap_ratio(
    numerators: ArrayLike,
    denominators: ArrayLike,
    replicates: int,
    seed: int,
    *,
    groups: ArrayLike | None = None,
    threads: int | None = None,
) -> Floats:
    """Return the ratio of two sums over the units of bootstrap replicates, (replicates,).

    Numerators and denominators are (N,), one for each unit, such as twice the right spans of a
    sentence, and its true and predicted spans together; or (N, K) for K ratios of the same draws,
    (replicates, K). Denominators may be (N,) for all of these. Where `groups` (N,) says which units
    belong together, groups are drawn. NaN where the denominators of a replicate add up to 0.
    DataError for what is not finite and for sizes that do not fit.
    """
    above = as_numbers("numerators", numerators)
    if above.ndim not in (1, 2):
        raise DataError(f"numerators have shape {above.shape}; it must be (N,) or (N, K)")
    below = as_numbers("denominators", denominators)
    if below.shape == above.shape[:1]:
        below = np.broadcast_to(below.reshape(-1, *[1] * (above.ndim - 1)), above.shape)
    check_shape("denominators", below.shape, above.shape, "numerators")
    unit, units = units_of(groups, len(above))
    plan = make_plan(units, replicates, seed, threads)
    upper, lower = (_of_groups(part.reshape(len(part), -1), unit, units) for part in (above, below))
    ratios = functions().bootstrap_ratio(upper, lower, plan)
    return ratios.reshape(replicates, *above.shape[1:])


def bootstrap_mean(
    values: ArrayLike,
    replicates: int,
    seed: int,
    *,
    groups: ArrayLike | None = None,
    threads: int | None = None,
) -> Floats:
    """Return the mean of values (N,) in bootstrap replicates, (replicates,).

    Or of (N, K), which gives (replicates, K). `groups` and errors are those of `bootstrap_ratio`;
    where groups are drawn, a mean is over all their units.
    """
    numbers = as_numbers("values", values)
    if numbers.ndim not in (1, 2):
        raise DataError(f"values have shape {numbers.shape}; it must be (N,) or (N, K)")
    ones = np.ones(len(numbers))
    return bootstrap_ratio(numbers, ones, replicates, seed, groups=groups, threads=threads)


def permutation_ratio(
    numerators: ArrayLike,
    denominators: ArrayLike,
    replicates: int,
    seed: int,
    *,
    groups: ArrayLike | None = None,
    threads: int | None = None,
) -> Floats:
    """Return differences in a ratio of two models under the null hypothesis, (replicates,).

    `numerators` (2, N) are those of the two models for the same units; `denominators` (2, N), or
    (N,) where they are the same for both, as the number of words is for word error rate. In each
    replicate, what the models have in a unit changes places with probability one half, in units of
    `groups` (N,) where given; the value is the first model's ratio less the second's: approximate
    randomization (Noreen 1989, "Computer-Intensive Methods for Testing Hypotheses"). NaN where
    denominators add up to 0. DataError as for `bootstrap_ratio`.
    """
    above = as_numbers("numerators", numerators)
    if above.ndim != 2 or len(above) != 2:
        raise DataError(
            f"numerators have shape {above.shape}; it must be (2, N), a row for each model"
        )
    below = as_numbers("denominators", denominators)
    if below.shape == above.shape[1:]:
        below = np.broadcast_to(below, above.shape)
    check_shape("denominators", below.shape, above.shape, "numerators")
    unit, units = units_of(groups, above.shape[1])
    plan = make_plan(units, replicates, seed, threads)
    upper, lower = (_of_groups(part.T, unit, units).T for part in (above, below))
    return functions().permute_ratio(np.ascontiguousarray(upper), np.ascontiguousarray(lower), plan)


def _of_groups(rows: Floats, unit: Ints, units: int) -> Floats:
    """Return the sums (units, K) of rows (N, K) over each unit, added up in their order."""
    if units == len(rows) and np.array_equal(unit, np.arange(units)):
        return np.ascontiguousarray(rows)
    columns = [np.bincount(unit, column, minlength=units) for column in rows.T]
    return np.stack(columns, axis=-1)
