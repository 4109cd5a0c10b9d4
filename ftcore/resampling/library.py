"""Which functions do the work: those of the native library, or the same in NumPy.

The choice is made here and nowhere else; both have the signatures of `Functions`.
"""

from __future__ import annotations

from functools import cache
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from ftcore._native.build import RESAMPLE
from ftcore._native.location import Kernel, load
from ftcore.errors import UsageError
from ftcore.resampling import reference

Floats: TypeAlias = NDArray[np.float64]
Entries: TypeAlias = NDArray[np.uint32]


class Functions(Protocol):
    """What the native library and `reference` have. Sizes: U units, R replicates, K columns.

    Entries (K, N) are scored examples in falling order of score: unit << 2 | is the last of those
    that tie << 1 | is positive. Those of `permute_auroc`, (1, 2 N), have 2 * unit + model in the
    place of the unit.
    """

    def plan(self, units: int, first: int, replicates: int, seed: int, threads: int) -> Any:
        """Return which replicates of how many units are made, in the library's own form."""

    def philox4x32(self, counters: Entries, key: int) -> Entries:
        """Return the random words (n, 4) of counters (n, 4), which tests compare."""

    def draws(self, plan: Any) -> NDArray[np.int64]:
        """Return how often each unit is drawn, (R, U)."""

    def swaps(self, plan: Any) -> NDArray[np.bool_]:
        """Return which units are swapped, (R, U)."""

    def bootstrap_auroc(self, entries: Entries, plan: Any) -> Floats:
        """Return the AUROC of each column, (R, K)."""

    def bootstrap_average_precision(self, entries: Entries, plan: Any) -> Floats:
        """Return the average precision of each column, (R, K)."""

    def permute_auroc(self, entries: Entries, plan: Any) -> Floats:
        """Return the first model's AUROC less the second's, (R,)."""

    def bootstrap_ratio(self, numerators: Floats, denominators: Floats, plan: Any) -> Floats:
        """Return sums of numerators (U, K) over those of denominators (U, K): (R, K)."""

    def permute_ratio(self, numerators: Floats, denominators: Floats, plan: Any) -> Floats:
        """Return the first model's ratio less the second's, of (2, U) and (2, U): (R,)."""


def kernel() -> Kernel:
    """Say which functions are used, and why; UsageError for an unknown FTCORE_KERNEL.

    A library that is missing or cannot be loaded leaves those in NumPy: the same numbers, later.
    """
    return _chosen()[0]


def functions() -> Functions:
    """Return the functions that are used."""
    return _chosen()[1]


@cache
def _chosen() -> tuple[Kernel, Functions]:
    loaded: list[Functions] = []
    try:
        found = load(RESAMPLE, lambda path: loaded.append(_module(path)), reference="NumPy")
    except ValueError as error:
        raise UsageError(str(error)) from error
    return found, loaded[0] if loaded else cast(Functions, reference)


def _module(path: Path) -> Functions:
    # Not by an import statement: it may lie in the cache, which is on no path.
    name = path.name.partition(".")[0]
    spec = spec_from_file_location(name, path, loader=ExtensionFileLoader(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return cast(Functions, module)
