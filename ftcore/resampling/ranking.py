"""AUROC and average precision: sorted once, then counted once for each replicate.

A replicate is one pass over the examples in the order of their scores, each counting as often as
its unit was drawn: no sorting, and memory for one replicate a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ftcore.errors import DataError
from ftcore.resampling.arguments import (
    Bools,
    Floats,
    Ints,
    as_flags,
    as_numbers,
    check_shape,
    make_plan,
    units_of,
)
from ftcore.resampling.library import Entries, functions

MOST_EXAMPLES = 2**31  # in a replicate: of more, pairs could be too many for 64 bits
_HELD = 2**24  # entries in memory at once; of more columns, draws are made again for the next ones
_Kernel: TypeAlias = Callable[[Entries, Any], Floats]


def bootstrap_auroc(
    scores: ArrayLike,
    is_positive: ArrayLike,
    replicates: int,
    seed: int,
    *,
    groups: ArrayLike | None = None,
    threads: int | None = None,
) -> Floats:
    """Return the area under the ROC curve of bootstrap replicates, (replicates,).

    `scores` (N,), of any unit of scale, and `is_positive` (N,); or (N, K) both, such as one class
    against the rest in each column, which gives (replicates, K) from the same draws. Where `groups`
    (N,) says which examples belong together, such as those of one user, groups are drawn. A tie
    counts one half (Hanley & McNeil 1982, Radiology 143). NaN where a replicate holds no positive,
    or no negative. DataError for scores that are NaN and for sizes that do not fit.
    """
    return _bootstrap(functions().bootstrap_auroc, scores, is_positive, groups)(
        replicates, seed, threads
    )


def bootstrap_average_precision(
    scores: ArrayLike,
    is_positive: ArrayLike,
    replicates: int,
    seed: int,
    *,
    groups: ArrayLike | None = None,
    threads: int | None = None,
) -> Floats:
    """Return the average precision of bootstrap replicates, (replicates,).

    The sum over the thresholds of precision times the step in recall, without interpolation, as in
    scikit-learn. Arguments, draws and errors are those of `bootstrap_auroc`; NaN where a replicate
    holds no positive.
    """
    return _bootstrap(functions().bootstrap_average_precision, scores, is_positive, groups)(
        replicates, seed, threads
    )


def permutation_auroc(
    scores: ArrayLike,
    is_positive: ArrayLike,
    replicates: int,
    seed: int,
    *,
    groups: ArrayLike | None = None,
    threads: int | None = None,
) -> Floats:
    """Return differences in AUROC of two models under the null hypothesis, (replicates,).

    `scores` (2, N) are those of the two models for the same examples. In each replicate, each
    example's scores change places with probability one half, in units of `groups` (N,) where given;
    the value is the first model's AUROC less the second's. What changes places are the ranks among
    a model's own scores, so that models may score on different scales (Bandos et al. 2005,
    Statistics in Medicine 24). NaN where there is no positive, or no negative. DataError as for
    `bootstrap_auroc`.
    """
    values = as_numbers("scores", scores, allows_infinite=True)
    if values.ndim != 2 or len(values) != 2:
        raise DataError(
            f"scores have shape {values.shape}; it must be (2, N), a row for each model"
        )
    positive = as_flags("is_positive", is_positive)
    check_shape("is_positive", positive.shape, values.shape[1:], "scores")
    unit, units = units_of(groups, len(positive))
    plan = make_plan(units, replicates, seed, threads)
    both = np.concatenate([2 * unit, 2 * unit + 1])
    ranks = np.concatenate([_midranks(row) for row in values])
    entries = _entries(ranks, np.tile(positive, 2), both)
    return functions().permute_auroc(entries[None], plan)


def _bootstrap(
    kernel: _Kernel, scores: ArrayLike, is_positive: ArrayLike, groups: ArrayLike | None
) -> Callable[[int, int, int | None], Floats]:
    values = as_numbers("scores", scores, allows_infinite=True)
    positive = as_flags("is_positive", is_positive)
    if values.ndim not in (1, 2):
        raise DataError(f"scores have shape {values.shape}; it must be (N,) or (N, K)")
    check_shape("is_positive", positive.shape, values.shape, "scores")
    unit, units = units_of(groups, len(values))
    _check_groups(unit, units)

    def draw(replicates: int, seed: int, threads: int | None) -> Floats:
        plan = make_plan(units, replicates, seed, threads)
        if values.ndim == 1:
            return kernel(_entries(values, positive, unit)[None], plan)[:, 0]
        result = np.empty((replicates, values.shape[1]))
        step = max(1, _HELD // len(values))
        for start in range(0, values.shape[1], step):
            columns = range(start, min(start + step, values.shape[1]))
            entries = [_entries(values[:, k], positive[:, k], unit) for k in columns]
            result[:, start : start + step] = kernel(np.stack(entries), plan)
        return result

    return draw


def _check_groups(unit: Ints, units: int) -> None:
    largest = int(np.bincount(unit).max(initial=0))
    if largest * units >= MOST_EXAMPLES:
        raise DataError(
            f"the largest of {units} groups has {largest} examples, so that a replicate could hold "
            f"{largest * units}; there must be fewer than {MOST_EXAMPLES}"
        )


def _entries(scores: Floats, is_positive: Bools, unit: Ints) -> NDArray[np.uint32]:
    """Return (N,) entries as `Functions` says; in which order ties stand changes no result."""
    order = np.argsort(-scores)
    falling = scores[order]
    is_last = np.append(falling[1:] != falling[:-1], True)
    entries: Ints = unit[order] << 2 | is_last.astype(np.int64) << 1 | is_positive[order]
    return entries.astype(np.uint32)


def _midranks(scores: Floats) -> Floats:
    """Return ranks from the lowest score up, (N,); those that tie share the middle of theirs."""
    _, value, size = np.unique(scores, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(size) - (size - 1) / 2)[value]
    return ranks
