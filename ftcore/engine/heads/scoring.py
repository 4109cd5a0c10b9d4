"""The validation scores of many heads, through the task's own statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ftcore.interfaces import DataBundle, Metric, Statistics, Task


@dataclass(frozen=True)
class Score:
    """What the validation rows say of one head after an epoch."""

    value: float | None  # of the metric that chooses the epoch; None where it is undefined
    loss: float
    is_finite: bool  # whether every output and the loss are


class Scorer:
    """Adds up one epoch's outputs of K heads."""

    def __init__(self, task: Task, bundle: DataBundle, metric: Metric, count: int) -> None:
        self.task, self.metric = task, metric
        needs = sorted(metric.needs)
        self.statistics: list[Statistics] = [task.statistics(bundle, needs) for _ in range(count)]
        self.losses = torch.zeros(count, dtype=torch.float64)
        self.finite = torch.ones(count, dtype=torch.bool)
        self.rows = 0

    def add(self, outputs: Tensor, losses: Tensor, targets: Tensor) -> None:
        """Add outputs (K, n, ...), their mean losses (K,), and targets (n, ...)."""
        for statistics, output in zip(self.statistics, outputs, strict=True):
            self.task.update_(statistics, output, targets)
        self.losses += losses.double().cpu() * len(targets)
        self.finite &= torch.isfinite(outputs).flatten(1).all(1).cpu()
        self.rows += len(targets)

    def scores(self) -> Sequence[Score]:
        """Return each head's score."""
        losses = (self.losses / self.rows).tolist()
        finite = (self.finite & torch.isfinite(self.losses)).tolist()
        values = [float(self.metric.compute(statistics)) for statistics in self.statistics]
        return [
            Score(None if value != value else value, loss, is_finite)
            for value, loss, is_finite in zip(values, losses, finite, strict=True)
        ]
