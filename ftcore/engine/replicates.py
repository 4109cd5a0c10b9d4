"""Bootstrap replicates of several runs on the same test examples, which share their draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from ftcore.interfaces import ComparableTask, Metric, ResampledMetric, Statistics
from ftcore.resampling import draws

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

    The runs hold a row for each of the same examples, in one order, all of them scored; NaN means
    undefined.
    """
    if isinstance(metric, ResampledMetric):
        return np.stack([metric.bootstrap(run, count, seed) for run in runs])
    units = len(next(iter(runs[0].rows.values())))
    values = np.empty((len(runs), count))
    fields = runs[0].fields
    width = units + sum(fields[name].numel() for name in metric.needs if name in fields)
    step = max(1, HELD // width)
    for start in range(0, count, step):
        drawn = draws(units, min(step, count - start), seed, first=start)
        weights = torch.from_numpy(drawn)
        for index, run in enumerate(runs):
            made = metric.compute(task.reweigh(run, metric.needs, weights))
            values[index, start : start + len(weights)] = torch.as_tensor(made).numpy()
    return values
