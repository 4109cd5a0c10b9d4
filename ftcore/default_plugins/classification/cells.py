"""Drawing resampling units with replacement, by cells of units that need no telling apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Array: TypeAlias = NDArray[Any]

MANY = 2**15  # units from which on it pays to look for cells among them

_HELD = 2**21  # numbers of 8 bytes made at once, of which a few copies live at a time
_BINOMIAL = 8  # units that can be drawn one by one in the time of one binomial draw, roughly


@dataclass(frozen=True)
class Cells:
    """M cells: how many units each holds, (M,), and what the units of a cell share, each (M,)."""

    sizes: Ints
    columns: dict[str, Array]
    _groups: dict[tuple[str, str | None], Groups] = field(
        default_factory=dict, repr=False, compare=False
    )

    def draw(self, count: int, generator: Generator) -> Iterator[Ints]:
        """Yield weights (r, M), `count` rows in all: how often a unit of each cell was drawn.

        As many units are drawn as there are, so that a row is multinomial. Where cells are few it
        is drawn as such, at a cost that does not depend on the number of units; where a few cells
        hold most of many units, those are.
        """
        draw, held = self._draw_units, self.total
        if self.total > _BINOMIAL * len(self.sizes):
            draw, held = self._draw_cells, len(self.sizes)
        elif self.total > MANY:
            draw, held = self._draw_mixed, len(self.sizes)
        step = max(1, _HELD // max(1, held))
        for start in range(0, count, step):
            yield draw(min(step, count - start), generator)

    def sum(self, weights: Ints, key: str, size: int, value: str | None = None) -> Array:
        """Return for each key k from 0 to size - 1 the sum of weights, times values, where it is k.

        Shapes: weights (r, M), the columns `key` and `value` (M,), result (r, size).
        """
        values = None if value is None else self.columns[value]
        if (key, value) not in self._groups:
            self._groups[key, value] = Groups.of(self.columns[key], values)
        return self._groups[key, value].sum(weights, size)

    @cached_property
    def total(self) -> int:
        """The number of units."""
        return int(self.sizes.sum())

    @cached_property
    def _is_large(self) -> NDArray[np.bool_]:
        return self.sizes > _BINOMIAL

    @cached_property
    def _units(self) -> NDArray[np.int32]:
        """The cell of each unit that is not in a large one."""
        (small,) = np.nonzero(~self._is_large)
        return np.repeat(small.astype(np.int32), self.sizes[small])

    def _draw_units(self, rows: int, generator: Generator) -> Ints:
        cells = len(self.sizes)
        drawn = generator.integers(max(self.total, 1), size=(rows, self.total))
        if (self.sizes != 1).any():
            drawn = np.repeat(np.arange(cells), self.sizes)[drawn]
        drawn += cells * np.arange(rows)[:, None]
        return np.bincount(drawn.ravel(), minlength=rows * cells).reshape(rows, cells)

    def _draw_cells(self, rows: int, generator: Generator) -> Ints:
        return generator.multinomial(self.total, self.sizes / self.total, size=rows)

    def _draw_mixed(self, rows: int, generator: Generator) -> Ints:
        # How many units come from each large cell, and how many from all the others together; then
        # those, one by one.
        large, units = self.sizes[self._is_large], self._units
        shares = np.append(large, len(units)) / self.total
        weights = np.empty((rows, len(self.sizes)), dtype=np.int64)
        for row in weights:  # each from what the generator gives after the one before
            drawn = generator.multinomial(self.total, shares)
            others = units[generator.integers(len(units), size=drawn[-1])]
            row[:] = np.bincount(others, minlength=len(self.sizes))
            row[self._is_large] = drawn[:-1]
        return weights


@dataclass(frozen=True)
class Groups:
    """Cells in the order of a key, and where in that order each key that occurs begins."""

    order: Ints | None  # None where the cells are in order
    values: Array | None  # of the cells in that order, which their weights are multiplied by
    found: Ints
    starts: Ints

    @classmethod
    def of(cls, keys: Ints, values: Array | None = None) -> Groups:
        """Group cells by their keys (M,); those whose value is a whole 0 are left out."""
        order = np.argsort(keys, kind="stable")
        if values is not None:
            if values.dtype.kind == "i":
                order = order[values[order] != 0]
            values = values[order]
        found, starts = np.unique(keys[order], return_index=True)
        is_in_order = np.array_equal(order, np.arange(len(keys)))
        return cls(None if is_in_order else order, values, found, starts)

    def sum(self, weights: Ints, size: int) -> Array:
        """Return for each key k from 0 to size - 1 the sum of its cells: (r, M) to (r, size).

        Sums of floats are made on one thread, in one order.
        """
        terms = weights if self.order is None else weights[:, self.order]
        if self.values is not None:
            terms = terms * self.values
        sums = np.zeros((len(weights), size), dtype=terms.dtype)
        if len(self.found):
            sums[:, self.found] = np.add.reduceat(terms, self.starts, axis=1)
        return sums
