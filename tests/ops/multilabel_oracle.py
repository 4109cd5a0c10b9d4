"""What `multilabel_statistics_` must compute: label by label, for clarity alone."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

BINS = 1027
BY_LABEL = (
    "ignored",
    "invalid",
    "non_finite",
    "true_positive",
    "false_positive",
    "false_negative",
    "true_negative",
)


def bin_of(logit: float) -> int:
    """Return the bin of a logit: 513 is that around 0, and 32 bins make an octave."""
    with np.errstate(over="ignore"):
        size = float(abs(np.float32(logit)))
    if size < 2**-8:
        return 513
    if size >= 2**8:
        step = 513
    else:
        fraction, exponent = np.frexp(size)  # size = fraction * 2**exponent, fraction from 1/2 to 1
        octave = int(exponent) - 1 + 8
        step = 1 + 32 * octave + math.floor((2 * float(fraction) - 1) * 32)
    return 513 + step if logit > 0 else 513 - step


def outcome(logit: float, target: int, ignore_index: int | None) -> str:
    """Say which counter a label belongs to."""
    if target == ignore_index:
        return "ignored"
    if target not in (0, 1):
        return "invalid"
    if not math.isfinite(logit):
        return "non_finite"
    names = {(0, 0): "true_negative", (0, 1): "false_positive"}
    names |= {(1, 0): "false_negative", (1, 1): "true_positive"}
    return names[target, int(logit >= 0)]


def losses(logit: float, target: int) -> tuple[float, float]:
    """Return the cross-entropy and the squared error of the probability."""
    right = logit if target == 1 else -logit  # the logit of what is true
    if right > 0:
        return math.log1p(math.exp(-right)), (math.exp(-right) / (1 + math.exp(-right))) ** 2
    return math.log1p(math.exp(right)) - right, (1 / (1 + math.exp(right))) ** 2


def statistics(
    logits: Array,
    targets: Array,
    weights: Array | None = None,
    ignore_index: int | None = None,
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the fields of logits (N, L), targets (N, L), and the sums of their terms' magnitudes.

    With negative weights, a sum is exact only relative to the latter.
    """
    labels = logits.shape[1]
    total: dict[str, Array] = {name: np.zeros((), np.int64) for name in ("rows", "exact")}
    total |= {name: np.zeros(labels, np.int64) for name in BY_LABEL}
    total |= {name: np.zeros((labels, BINS), np.int64) for name in ("positives", "negatives")}
    total |= {name: np.zeros(labels) for name in ("nll", "brier")}
    magnitudes = {name: np.zeros(labels) for name in ("nll", "brier")}
    for r, (row, row_targets) in enumerate(zip(logits.tolist(), targets.tolist(), strict=True)):
        weight = 1 if weights is None else int(weights[r])
        kinds = []
        for k, (logit, target) in enumerate(zip(row, row_targets, strict=True)):
            kind = outcome(logit, int(target), ignore_index)
            kinds.append(kind)
            total[kind][k] += weight
            if kind in ("ignored", "invalid", "non_finite"):
                continue
            total["positives" if target == 1 else "negatives"][k, bin_of(logit)] += weight
            for name, loss in zip(("nll", "brier"), losses(logit, int(target)), strict=True):
                total[name][k] += weight * loss
                magnitudes[name][k] += abs(weight) * loss
        if not {"ignored", "invalid", "non_finite"} & set(kinds):
            total["rows"] += weight
            if not {"false_positive", "false_negative"} & set(kinds):
                total["exact"] += weight
    return total, magnitudes
