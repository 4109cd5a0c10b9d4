"""What is refused before anything is drawn, and why; and arrays in the form the kernels take."""

from __future__ import annotations

import os
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ftcore.errors import DataError, UsageError
from ftcore.resampling.library import functions

Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

MOST_UNITS = 2**29  # what 32 bits hold of a unit beside three of flags


def make_plan(units: int, replicates: int, seed: int, threads: int | None, first: int = 0) -> Any:
    """Return the kernels' plan; DataError or UsageError for a number that cannot be."""
    if not 1 <= units < MOST_UNITS:
        raise DataError(f"there are {units} units; resampling takes 1 to {MOST_UNITS - 1}")
    if first < 0 or not 1 <= replicates <= 2**32 - 1 - first:
        raise UsageError(
            f"{replicates} replicates from number {first} on; there must be 1 or more, "
            "numbered below 2^32"
        )
    if not 0 <= seed < 2**64:
        raise UsageError(f"seed {seed} must be between 0 and 2^64 - 1")
    if threads is not None and not 1 <= threads <= 1024:
        raise UsageError(f"threads is {threads}; it must be between 1 and 1024")
    return functions().plan(units, first, replicates, seed, threads or _available())


def _available() -> int:
    """Return as many threads as OMP_NUM_THREADS asks of every library, or as this process may."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdecimal() and 1 <= int(asked) <= 1024 else _processors()


def _processors() -> int:
    # Not os.cpu_count, which counts those too that a container may not use.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def as_numbers(name: str, values: ArrayLike, allows_infinite: bool = False) -> Floats:
    """Return an array in float64; DataError names the first that is not a number."""
    numbers = np.asarray(values, dtype=np.float64)
    is_wrong = np.isnan(numbers) if allows_infinite else ~np.isfinite(numbers)
    if is_wrong.any():
        place = tuple(int(index) for index in np.argwhere(is_wrong)[0])
        where = place[0] if len(place) == 1 else place
        raise DataError(f"{name}[{where}] is {numbers[place]}; leave out units that have no number")
    return numbers


def as_flags(name: str, values: ArrayLike) -> Bools:
    """Return an array of bool; DataError where it holds anything but 0 and 1."""
    flags = np.asarray(values)
    is_wrong = (flags != 0) & (flags != 1)
    if is_wrong.any():
        raise DataError(
            f"{name} holds {flags[is_wrong].flat[0]}; it must hold booleans, or 0 and 1"
        )
    return flags.astype(np.bool_)


def check_shape(name: str, shape: tuple[int, ...], expected: tuple[int, ...], of: str) -> None:
    """Raise DataError unless `shape` is what that of another array, named `of`, asks for."""
    if shape != expected:
        raise DataError(f"{name} has shape {shape}, but {of} asks for {expected}")


def units_of(groups: ArrayLike | None, rows: int) -> tuple[Ints, int]:
    """Return the unit of each row, (N,), and how many there are: the groups, or the rows."""
    if groups is None:
        return np.arange(rows), rows
    labels = np.asarray(groups)
    check_shape("groups", labels.shape, (rows,), "one for each unit")
    names, unit = np.unique(labels, return_inverse=True)
    return unit.astype(np.int64), len(names)
