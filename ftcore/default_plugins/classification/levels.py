"""Cells for drawing from very many examples: those that agree, or nearly so, are drawn as one."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from ftcore.default_plugins.classification.cells import MANY, Array, Cells, Ints

_CELLS = 2**15  # at most: a binomial draw for each, and a thousand times
_LEVELS = 2**12  # of a column's range; finer ones change no digit of an interval that is shown
_COARSEST = 2**4


def merge_levels(examples: Cells, columns: Collection[str]) -> Cells:
    """Return cells of more than 32,768 examples alike in `columns`, or `examples` as they are.

    Alike means equal in whole numbers, and in the one column of floats there may be on the same of
    up to 4,096 levels that its range is cut into; the cell then holds their mean. So the mean of a
    replicated sum is that of the bootstrap, and its variance lacks only what lies within a level:
    1 / 12 of its width squared for each example, where the examples' own variance is that of the
    whole column. Each example is drawn by itself where no such cells can be found.
    """
    floats = [name for name in columns if examples.columns[name].dtype.kind == "f"]
    if len(examples.sizes) <= MANY or len(floats) > 1:
        return examples
    wholes = [name for name in columns if name not in floats]
    keys = _keys([examples.columns[name] for name in wholes], len(examples.sizes))
    if floats:
        levels = min(_LEVELS, _CELLS // (int(keys.max()) + 1))
        if levels < _COARSEST:
            return examples
        keys = keys * levels + _level(examples.columns[floats[0]], levels)
    _, first, cell, sizes = np.unique(
        keys, return_index=True, return_inverse=True, return_counts=True
    )
    merged = {name: examples.columns[name][first] for name in wholes}
    merged |= {name: np.bincount(cell, examples.columns[name]) / sizes for name in floats}
    return Cells(sizes, merged)


def _keys(columns: Collection[Ints], count: int) -> Ints:
    # Numbered anew after each column, so that no product of their ranges overflows.
    keys = np.zeros(count, dtype=np.int64)
    for column in columns:
        pairs = keys * (int(column.max()) + 1) + column
        keys = np.unique(pairs, return_inverse=True)[1]
    return keys


def _level(values: Array, levels: int) -> Ints:
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return np.zeros(len(values), dtype=np.int64)
    share = (values - low) / (high - low)
    return np.minimum((share * levels).astype(np.int64), levels - 1)
