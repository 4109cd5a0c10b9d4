"""Draws and swaps themselves, for statistics that are computed elsewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ftcore.resampling.arguments import make_plan
from ftcore.resampling.library import functions


def draws(
    units: int, replicates: int, seed: int, *, first: int = 0, threads: int | None = None
) -> NDArray[np.int64]:
    """Return how often bootstrap replicates draw each unit, (replicates, units).

    Each replicate draws `units` units with replacement, each unit equally likely; those of the
    functions of this package with the same seed. Replicates are numbered from `first` on, so that
    many can be made a few at a time. DataError or UsageError for numbers that cannot be.
    """
    return functions().draws(make_plan(units, replicates, seed, threads, first))


def swaps(
    units: int, replicates: int, seed: int, *, first: int = 0, threads: int | None = None
) -> NDArray[np.bool_]:
    """Return which units permutations of two paired models swap, (replicates, units).

    Each unit is swapped with probability one half; `first` and errors are those of `draws`.
    """
    return functions().swaps(make_plan(units, replicates, seed, threads, first))
