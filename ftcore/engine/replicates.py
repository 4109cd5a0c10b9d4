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
    metrics: Sequence[Metric],
    runs: Sequence[Statistics],
    *,
    count: int = 2000,
    seed: int = 0,
) -> dict[str, NDArray[np.float64]]:
    """Return by metric the value of each run on each draw of the test examples, (runs, count).

    The runs hold a row for each of the same examples, in one order; NaN means undefined. What the
    metrics need is made once for all of them.
    """
    units = len(next(iter(runs[0].rows.values())))
    values = {metric.name: np.empty((len(runs), count)) for metric in metrics}
    needs = sorted({name for metric in metrics for name in metric.needs})
    fields = runs[0].fields
    width = units + sum(fields[name].numel() for name in needs if name in fields)
    start = 0
    for weights in draws(units, count, max(1, HELD // width), seed):
        stop = start + len(weights)
        for index, run in enumerate(runs):
            drawn = task.reweigh(run, needs, weights)
            for metric in metrics:
                made = torch.as_tensor(metric.compute(drawn))
                values[metric.name][index, start:stop] = made.numpy()
        start = stop
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
