"""What `regression_statistics_` must compute: value by value, for clarity alone."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

COUNTS = ("n", "non_finite", "invalid")


def terms(output: float, target: float, center: float) -> dict[str, float]:
    """Return what a scored value adds to each sum."""
    d, p, t = output - target, output - center, target - center
    return {
        "absolute": abs(d),
        "squared": d * d,
        "error": d,
        "output": p,
        "target": t,
        "output_squared": p * p,
        "target_squared": t * t,
        "product": p * t,
    }


def outcome(output: float, target: float) -> str:
    """Say which counter a value belongs to."""
    if not math.isfinite(target):
        return "invalid"
    return "n" if math.isfinite(output) else "non_finite"


def statistics(
    outputs: Array, targets: Array, weights: Array | None = None, center: float = 0.0
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the fields of outputs (N, K), targets (N, K), and the sums of their terms' magnitudes.

    A sum of terms of both signs is exact only relative to the latter.
    """
    rows, columns = outputs.shape
    total: dict[str, Array] = {name: np.zeros(columns, np.int64) for name in COUNTS}
    total |= {name: np.zeros(columns) for name in terms(0.0, 0.0, 0.0)}
    magnitudes = {name: np.zeros(columns) for name in terms(0.0, 0.0, 0.0)}
    for k in range(columns):
        added: dict[str, list[float]] = {name: [] for name in magnitudes}
        for r in range(rows):
            weight = 1 if weights is None else int(weights[r])
            output, target = float(outputs[r, k]), float(targets[r, k])
            kind = outcome(output, target)
            total[kind][k] += weight
            if kind != "n" or weight == 0:
                continue
            for name, term in terms(output, target, center).items():
                added[name].append(weight * term)
        for name, values in added.items():
            total[name][k] = math.fsum(values)
            magnitudes[name][k] = math.fsum(map(abs, values))
    return total, magnitudes
