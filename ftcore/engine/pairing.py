"""Values with bootstrap replicates that can be paired: every statistics gets the same draws.

A metric's value and its replicates are one vector, (1 + R,), the value first: means and
differences of such vectors are the means and differences with their own replicates.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ftcore.engine.intervals import ends
from ftcore.engine.replicates import replicates as draw
from ftcore.interfaces import ComparableTask, Metric, Statistics, Task
from ftcore.record import MetricValue, finite_or_none

Sample: TypeAlias = NDArray[np.float64]


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
    drawn = draw(task, metrics, [statistics], count=replicates, seed=seed)
    return {name: np.append(value, drawn[name]) for name, value in values.items()}


def estimate(made: Sample, units: int, *, higher_is_better: bool) -> MetricValue:
    """Return a value with its 95 % interval; units are the examples that were drawn."""
    value, low, high = float(made[0]), None, None
    if not math.isfinite(value):
        method = "undefined"
    elif len(made) == 1:
        method = "none (the task keeps no rows that could be drawn)"
    else:
        low, high, method = ends(made[1:], value, units)
    return MetricValue(
        value=finite_or_none(value),
        low=low,
        high=high,
        n=units,
        method=method.replace("bootstrap", "paired bootstrap").replace("multinomial ", ""),
        higher_is_better=higher_is_better,
    )
