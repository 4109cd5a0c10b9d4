"""The validation scores of many heads, through the task's own statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ftcore.interfaces import DataBundle, Metric, StackedTask, Statistics, Task


@dataclass(frozen=True)
class Score:
    """What the validation rows say of one head after an epoch."""

    value: float | None  # of the metric that chooses the epoch; None where it is undefined
    loss: float
    is_finite: bool  # whether every output and the loss are


class Scorer:
    """Adds up one epoch's outputs of K heads."""

    def __init__(self, task: Task, bundle: DataBundle, metric: Metric, count: int) -> None:
        self.metric = metric
        self.statistics = _statistics(task, bundle, metric, count)
        self.losses = torch.zeros(count, dtype=torch.float64)
        self.finite = torch.ones(count, dtype=torch.bool)
        self.rows = 0

    def add(self, outputs: Tensor, losses: Tensor, targets: Tensor) -> None:
        """Add outputs (K, n, ...), their mean losses (K,), and targets (n, ...)."""
        self.statistics.add(outputs, targets)
        self.losses += losses.double().cpu() * len(targets)
        # Infinity times 0 is not a number, and neither is a sum with one.
        self.finite &= (outputs * 0).sum(tuple(range(1, outputs.dim()))).cpu() == 0
        self.rows += len(targets)

    def scores(self) -> list[Score]:
        """Return each head's score."""
        losses = (self.losses / self.rows).tolist()
        finite = (self.finite & torch.isfinite(self.losses)).tolist()
        values = self.statistics.values(self.metric)
        return [
            Score(None if value != value else value, loss, is_finite)
            for value, loss, is_finite in zip(values, losses, finite, strict=True)
        ]


@dataclass(frozen=True)
class _Stacked:
    """Statistics of all heads at once."""

    task: StackedTask
    statistics: Statistics

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        self.task.stacked_update_(self.statistics, outputs, targets)

    def values(self, metric: Metric) -> list[float]:
        values: list[float] = torch.as_tensor(metric.compute(self.statistics)).tolist()
        return values


@dataclass(frozen=True)
class _Apart:
    """Statistics of each head by itself, from a task that knows no others."""

    task: Task
    statistics: Sequence[Statistics]

    def add(self, outputs: Tensor, targets: Tensor) -> None:
        for statistics, output in zip(self.statistics, outputs, strict=True):
            self.task.update_(statistics, output, targets)

    def values(self, metric: Metric) -> list[float]:
        return [float(metric.compute(statistics)) for statistics in self.statistics]


def _statistics(task: Task, bundle: DataBundle, metric: Metric, count: int) -> _Stacked | _Apart:
    needs = sorted(metric.needs)
    if isinstance(task, StackedTask):
        stacked = task.stacked_statistics(bundle, needs, count)
        if stacked is not None:
            return _Stacked(task, stacked)
    return _Apart(task, [task.statistics(bundle, needs) for _ in range(count)])
