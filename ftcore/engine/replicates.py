"""Bootstrap replicates of several runs on the same test examples, which share their draws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ftcore.interfaces import ComparableTask, Metric, Statistics

HELD = 2**21  # numbers of 8 bytes held at once, of which a few copies live at a time


def replicates(
    task: ComparableTask,
    metric: Metric,
    runs: Sequence[Statistics],
    *,
    count: int = 2000,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return the metric of each run on each draw of the test examples, (runs, count).

    The runs hold a row for each of the same examples, in one order; NaN means undefined.
    """
    units = len(next(iter(runs[0].rows.values())))
    values = np.empty((len(runs), count))
    fields = runs[0].fields
    width = units + sum(fields[name].numel() for name in metric.needs if name in fields)
    start = 0
    for weights in draws(units, count, max(1, HELD // width), seed):
        for index, run in enumerate(runs):
            made = metric.compute(task.reweigh(run, metric.needs, weights))
            values[index, start : start + len(weights)] = torch.as_tensor(made).numpy()
        start += len(weights)
    return values


def draws(units: int, count: int, most: int, seed: int) -> Iterator[Tensor]:
    """Yield weights (r, units), `count` rows in all: how often each of them was drawn."""
    generator = np.random.default_rng(seed)
    for start in range(0, count, most):
        rows = min(most, count - start)
        drawn = generator.integers(units, size=(rows, units))
        drawn += units * np.arange(rows)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=rows * units)
        yield torch.from_numpy(weights.reshape(rows, units))
