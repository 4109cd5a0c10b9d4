"""What `classification_statistics_` must compute: row by row, in float64, for clarity alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]


@dataclass(frozen=True)
class Row:
    """What one scored row comes to."""

    target: int
    prediction: int
    rank: int
    confidence: float
    nll: float
    brier: float
    entropy: float


def score(logits: Array, target: int) -> Row:
    """Score one row of finite logits (C,)."""
    z = logits.astype(np.float64)
    classes = range(len(z))
    prediction = min(c for c in classes if z[c] == z.max())
    above = [c for c in classes if z[c] > z[target]]
    tied_before = [c for c in classes if z[c] == z[target] and c < target]
    shifted = z - z.max()
    log_p = shifted - np.log(np.exp(shifted).sum())
    p = np.exp(shifted) / np.exp(shifted).sum()
    truth = np.array([float(c == target) for c in classes])
    return Row(
        target=target,
        prediction=prediction,
        rank=len(above) + len(tied_before),
        confidence=float(p[prediction]),
        nll=float(-log_p[target]),
        brier=float(((p - truth) ** 2).sum()),
        entropy=float(-sum(p[c] * log_p[c] for c in classes if p[c] > 0)),
    )


def outcome(logits: Array, target: int, ignore_index: int | None) -> str:
    """Say which counter a row belongs to."""
    if target == ignore_index:
        return "ignored"
    if not 0 <= target < len(logits):
        return "invalid"
    return "n" if np.isfinite(logits.astype(np.float64)).all() else "non_finite"


def statistics(
    logits: Array, targets: Array, ignore_index: int | None = None, bins: int = 15
) -> dict[str, Array]:
    """Add up rows of logits (N, C) and targets (N,)."""
    classes = logits.shape[1]
    scalars = {name: np.zeros((), np.int64) for name in ("n", "ignored", "invalid", "non_finite")}
    by_class = {
        name: np.zeros(classes, np.int64) for name in ("rank", "support", "predicted", "correct")
    }
    by_bin = {name: np.zeros(bins, np.int64) for name in ("bin_count", "bin_correct")}
    sums = {name: np.zeros(()) for name in ("nll", "brier", "entropy")}
    total: dict[str, Array] = {**scalars, **by_class, **by_bin, **sums}
    total["bin_confidence"] = np.zeros(bins)
    total["confusion"] = np.zeros((classes, classes), np.int64)
    for z, target in zip(logits, targets.tolist(), strict=True):
        kind = outcome(z, target, ignore_index)
        total[kind] += 1
        if kind != "n":
            continue
        row = score(z, target)
        bin_index = min(int(np.floor(row.confidence * bins)), bins - 1)
        is_correct = int(row.prediction == row.target)
        total["nll"] += row.nll
        total["brier"] += row.brier
        total["entropy"] += row.entropy
        total["rank"][row.rank] += 1
        total["support"][row.target] += 1
        total["predicted"][row.prediction] += 1
        total["correct"][row.target] += is_correct
        total["confusion"][row.target, row.prediction] += 1
        total["bin_count"][bin_index] += 1
        total["bin_correct"][bin_index] += is_correct
        total["bin_confidence"][bin_index] += row.confidence
    return total
