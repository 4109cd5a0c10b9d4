"""Values with bootstrap replicates that can be paired: every statistics gets the same draws.

A metric's value and its replicates are one vector, (1 + R,), the value first: means and
differences of such vectors are the means and differences with their own replicates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ftcore.engine.intervals import percentiles
from ftcore.interfaces import ComparableTask, Metric, Statistics, Task
from ftcore.record import MetricValue

Sample: TypeAlias = NDArray[np.float64]

_HELD = 2**21  # numbers of 8 bytes that are held at once, of which a few copies live at a time


def sample(
    metrics: Sequence[Metric],
    statistics: Statistics,
    task: Task,
    *,
    replicates: int = 1000,
    seed: int = 0,
) -> dict[str, Sample]:
    """Return each metric and its replicates, (1 + replicates,); NaN where undefined.

    The seed and the number of rows alone decide the draws, so that other statistics of the same
    examples in the same order are drawn alike. A task that keeps no rows has no replicates: (1,).
    """
    values = {metric.name: np.array([float(metric.compute(statistics))]) for metric in metrics}
    if not isinstance(task, ComparableTask):
        return values
    rows = len(next(iter(statistics.rows.values())))
    needs = sorted({name for metric in metrics for name in metric.needs})
    held = rows + sum(f.numel() for name, f in statistics.fields.items() if name in needs)
    step = max(1, _HELD // held)
    generator = np.random.default_rng(seed)
    drawn: dict[str, list[Sample]] = {name: [value] for name, value in values.items()}
    for start in range(0, replicates, step):
        weights = _draw(rows, min(step, replicates - start), generator)
        replicated = task.reweigh(statistics, needs, weights)
        for metric in metrics:
            drawn[metric.name].append(np.asarray(metric.compute(replicated), np.float64))
    return {name: np.concatenate(parts) for name, parts in drawn.items()}


def estimate(made: Sample, units: int, *, higher_is_better: bool) -> MetricValue:
    """Return a value with its 95 % interval; units are the examples that were drawn."""
    value, low, high = float(made[0]), None, None
    if not math.isfinite(value):
        method = "undefined"
    elif len(made) == 1:
        method = "none (the task keeps no rows that could be drawn)"
    else:
        low, high, method = percentiles(made[1:], value)
    return MetricValue(
        value=value if math.isfinite(value) else None,
        low=low,
        high=high,
        n=units,
        method=method.replace("bootstrap", "paired bootstrap").replace("multinomial ", ""),
        higher_is_better=higher_is_better,
    )


def _draw(rows: int, count: int, generator: np.random.Generator) -> Tensor:
    """Return how often each row is drawn out of all, with replacement: int64 (count, rows)."""
    drawn = generator.integers(rows, size=(count, rows))
    drawn += rows * np.arange(count)[:, None]
    weights = np.bincount(drawn.ravel(), minlength=count * rows)
    return torch.from_numpy(weights.reshape(count, rows))
