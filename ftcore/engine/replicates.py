"""Bootstrap replicates of several runs on the same test examples, which share their draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ftcore.engine.needs import needs_of
from ftcore.interfaces import ComparableTask, Metric, ResampledMetric, Statistics
from ftcore.resampling import draws

HELD = 2**21  # numbers of 8 bytes held at once, of which a few copies live at a time


def replicates(
    task: ComparableTask,
    metrics: Sequence[Metric],
    runs: Sequence[Statistics],
    *,
    count: int = 2000,
    seed: int = 0,
) -> dict[str, NDArray[np.float64]]:
    """Return each metric of each run on each draw of the test examples, (runs, count), by name.

    The runs hold a row for each of the same examples, in one order, all of them scored; NaN means
    undefined. The number of rows and the seed alone decide the draws.
    """
    values = {metric.name: np.empty((len(runs), count)) for metric in metrics}
    others: list[Metric] = []
    for metric in metrics:
        if isinstance(metric, ResampledMetric):
            for index, run in enumerate(runs):
                values[metric.name][index] = metric.bootstrap(run, count, seed)
        else:
            others.append(metric)
    if not others:
        return values
    needs = needs_of(others)
    units = len(next(iter(runs[0].rows.values())))
    fields = runs[0].fields
    width = units + sum(fields[name].numel() for name in needs if name in fields)
    step = max(1, HELD // width)
    for start in range(0, count, step):
        stop = min(start + step, count)
        weights = torch.from_numpy(draws(units, stop - start, seed, first=start))
        for index, run in enumerate(runs):
            drawn = task.reweigh(run, needs, weights)
            for metric in others:
                made = torch.as_tensor(metric.compute(drawn))
                values[metric.name][index, start:stop] = made.numpy()
    return values
