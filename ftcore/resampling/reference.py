"""The functions of the native library in NumPy: the same numbers, to the last bit, one thread.

Integers are exact in any order. Floats are added up in the library's order, which is that of
`cumsum`: one after the other, where `sum` would add pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from ftcore.resampling.philox import drawn_units, swapped_units
from ftcore.resampling.philox import philox4x32 as _philox4x32

Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Entries: TypeAlias = NDArray[np.uint32]

Filled = TypeVar("Filled", bound=NDArray[Any])

_HELD = 2**16  # numbers of one array, of several replicates where these are short: fits caches


@dataclass(frozen=True)
class Plan:
    """Which replicates of how many units, from which seed."""

    units: int
    first: int
    replicates: int
    seed: int

    def chunks(self, width: int) -> Iterator[tuple[slice, Ints]]:
        """Yield places and numbers of replicates, as many as arrays of `width` allow."""
        step = max(1, _HELD // max(1, width, self.units))
        for start in range(0, self.replicates, step):
            stop = min(start + step, self.replicates)
            yield slice(start, stop), np.arange(self.first + start, self.first + stop)

    def counts(self, replicates: Ints) -> Ints:
        """Return how often each unit is drawn, (R, units)."""
        drawn = drawn_units(self.units, replicates, self.seed)
        drawn += np.arange(len(replicates))[:, None] * self.units
        counts = np.bincount(drawn.ravel(), minlength=drawn.size)
        return counts.reshape(drawn.shape)

    def swaps(self, replicates: Ints) -> Bools:
        """Return which units are swapped, (R, units)."""
        return swapped_units(self.units, replicates, self.seed)


def plan(units: int, first: int, replicates: int, seed: int, threads: int) -> Plan:
    """Return a plan; its threads are one."""
    return Plan(units, first, replicates, seed)


def philox4x32(counters: Entries, key: int) -> Entries:
    """Return the words (n, 4) of counters (n, 4)."""
    first, second, third, fourth = counters.T.astype(np.uint64)
    return np.stack(_philox4x32((first, second, third, fourth), key), -1).astype(np.uint32)


def draws(plan: Plan) -> Ints:
    """Return how often each unit is drawn, (R, U)."""
    return _filled(np.empty((plan.replicates, plan.units), np.int64), plan, plan.counts)


def swaps(plan: Plan) -> Bools:
    """Return which units are swapped, (R, U)."""
    return _filled(np.empty((plan.replicates, plan.units), np.bool_), plan, plan.swaps)


def bootstrap_auroc(entries: Entries, plan: Plan) -> Floats:
    """Return the AUROC of each column, (R, K)."""
    return _bootstrap(entries, plan, _auroc)


def bootstrap_average_precision(entries: Entries, plan: Plan) -> Floats:
    """Return the average precision of each column, (R, K)."""
    return _bootstrap(entries, plan, _average_precision)


def permute_auroc(entries: Entries, plan: Plan) -> Floats:
    """Return the first model's AUROC less the second's, (R,)."""
    column = Column(entries[0])

    def difference(replicates: Ints) -> Floats:
        swapped = plan.swaps(replicates)[:, column.unit >> 1]
        is_second = swapped ^ (column.unit & 1).astype(np.bool_)
        return _auroc(column, (~is_second).astype(np.int64)) - _auroc(
            column, is_second.astype(np.int64)
        )

    return _filled(np.empty(plan.replicates), plan, difference, entries.shape[1])


def bootstrap_ratio(numerators: Floats, denominators: Floats, plan: Plan) -> Floats:
    """Return sums of numerators (U, K) over those of denominators (U, K): (R, K)."""

    def ratios(replicates: Ints) -> Floats:
        counts = plan.counts(replicates).astype(np.float64)
        pairs = zip(numerators.T, denominators.T, strict=True)
        return np.stack([_ratio(counts * above, counts * below) for above, below in pairs], -1)

    return _filled(np.empty((plan.replicates, numerators.shape[1])), plan, ratios)


def permute_ratio(numerators: Floats, denominators: Floats, plan: Plan) -> Floats:
    """Return the first model's ratio less the second's, of (2, U) and (2, U): (R,)."""

    def difference(replicates: Ints) -> Floats:
        swapped = plan.swaps(replicates)
        return _ratio(
            np.where(swapped, numerators[1], numerators[0]),
            np.where(swapped, denominators[1], denominators[0]),
        ) - _ratio(
            np.where(swapped, numerators[0], numerators[1]),
            np.where(swapped, denominators[0], denominators[1]),
        )

    return _filled(np.empty(plan.replicates), plan, difference)


class Column:
    """Entries (N,) taken apart: the unit and the class of each, and G scores that differ."""

    def __init__(self, bits: Entries) -> None:
        self.unit = (bits >> 2).astype(np.int64)
        self.is_positive = (bits & 1).astype(np.int64)
        self.first = np.flatnonzero(np.append(True, bits[:-1] & 2))  # of each score, (G,)

    def by_score(self, weights: Ints) -> tuple[Ints, Ints]:
        """Return what weighs at each score, (R, G), of weights (R, N): positives, and all."""
        positive = weights * self.is_positive
        if len(self.first) == len(self.unit):
            return positive, weights
        return (
            np.add.reduceat(positive, self.first, axis=-1),
            np.add.reduceat(weights, self.first, axis=-1),
        )


def _filled(result: Filled, plan: Plan, make: Callable[[Ints], Filled], width: int = 1) -> Filled:
    for place, replicates in plan.chunks(width):
        result[place] = make(replicates)
    return result


def _bootstrap(entries: Entries, plan: Plan, statistic: Callable[[Column, Ints], Floats]) -> Floats:
    columns = [Column(bits) for bits in entries]

    def values(replicates: Ints) -> Floats:
        counts = plan.counts(replicates)
        return np.stack(
            [statistic(column, np.take(counts, column.unit, axis=1)) for column in columns], -1
        )

    return _filled(np.empty((plan.replicates, len(columns))), plan, values, entries.shape[1])


def _auroc(column: Column, weights: Ints) -> Floats:
    positive, everything = column.by_score(weights)
    negative, upto = everything - positive, np.cumsum(positive, axis=-1)
    # Twice the positives above, and once those that tie: those not below and those above.
    doubled = np.einsum("ij,ij->i", negative, 2 * upto - positive)
    return _divide(doubled, 2 * upto[:, -1] * negative.sum(-1))


def _average_precision(column: Column, weights: Ints) -> Floats:
    positive, everything = column.by_score(weights)
    upto, all_upto = np.cumsum(positive, axis=-1), np.cumsum(everything, axis=-1)
    total = _in_order(positive * (upto / np.maximum(all_upto, 1)))
    return _divide(total, upto[:, -1])


def _ratio(numerators: Floats, denominators: Floats) -> Floats:
    return _divide(_in_order(numerators), _in_order(denominators))


def _in_order(terms: Floats) -> Floats:
    total: Floats = np.cumsum(terms, axis=-1)[:, -1] + 0.0  # 0 rather than -0 where all are -0
    return total


def _divide(above: NDArray[Any], below: NDArray[Any]) -> Floats:
    result = np.full(below.shape, np.nan)
    np.divide(above, below, out=result, where=below != 0)
    return result
