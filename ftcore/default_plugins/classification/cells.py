"""Drawing resampling units with replacement, by cells of units that need no telling apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Array: TypeAlias = NDArray[Any]

_HELD = 2**22  # numbers of 8 bytes made at once, of which a few copies live at a time
_BINOMIAL = 8  # units that can be drawn one by one in the time of one binomial draw, roughly


@dataclass(frozen=True)
class Cells:
    """M cells: how many units each holds, (M,), and what the units of a cell share, each (M,)."""

    sizes: Ints
    columns: dict[str, Array]

    def draw(self, count: int, generator: Generator) -> Iterator[Ints]:
        """Yield weights (r, M), `count` rows in all: how often a unit of each cell was drawn.

        As many units are drawn as there are, so that a row is multinomial. Where cells are few it
        is drawn as such, at a cost that does not depend on the number of units.
        """
        total, cells = int(self.sizes.sum()), len(self.sizes)
        is_grouped = total > _BINOMIAL * cells
        step = max(1, _HELD // max(1, cells if is_grouped else total))
        for start in range(0, count, step):
            rows = min(step, count - start)
            if is_grouped:
                yield generator.multinomial(total, self.sizes / total, size=rows)
            else:
                yield self._draw_units(rows, total, generator)

    def _draw_units(self, rows: int, total: int, generator: Generator) -> Ints:
        cells = len(self.sizes)
        drawn = generator.integers(max(total, 1), size=(rows, total))
        if (self.sizes != 1).any():
            drawn = np.repeat(np.arange(cells), self.sizes)[drawn]
        drawn += cells * np.arange(rows)[:, None]
        return np.bincount(drawn.ravel(), minlength=rows * cells).reshape(rows, cells)


def grouped_sum(weights: Ints, keys: Ints, size: int, values: Array | None = None) -> Array:
    """Return for each key k from 0 to size - 1 the sum of weights, times values, where keys = k.

    Shapes: weights (r, M), keys and values (M,), result (r, size). Sums of floats are made on one
    thread, in one order.
    """
    order = np.argsort(keys, kind="stable")
    found, starts = np.unique(keys[order], return_index=True)
    terms = weights[:, order] if values is None else weights[:, order] * values[order]
    sums = np.zeros((len(weights), size), dtype=terms.dtype)
    if len(found):
        sums[:, found] = np.add.reduceat(terms, starts, axis=1)
    return sums
