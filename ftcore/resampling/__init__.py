"""Bootstrap and permutation of statistics over resampling units, in NumPy arrays.

For what is no function of a confusion matrix: AUROC, average precision, ratios of sums, means. What
replicate r draws in place i is a pure function of (seed, r, i). So results do not depend on the
number of threads, models that are resampled with one seed are paired, and a native library
(`csrc/resample`) and its NumPy twin give the same numbers to the last bit.
"""

from __future__ import annotations

from ftcore.resampling.library import kernel
from ftcore.resampling.ranking import (
    bootstrap_auroc,
    bootstrap_average_precision,
    permutation_auroc,
)
from ftcore.resampling.ratio import bootstrap_mean, bootstrap_ratio, permutation_ratio
from ftcore.resampling.weights import draws, swaps

__all__ = [
    "bootstrap_auroc",
    "bootstrap_average_precision",
    "bootstrap_mean",
    "bootstrap_ratio",
    "draws",
    "kernel",
    "permutation_auroc",
    "permutation_ratio",
    "swaps",
]
