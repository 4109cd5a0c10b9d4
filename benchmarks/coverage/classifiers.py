"""Simulated classifiers, whose examples can be had in any number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from ftcore import DataBundle, Metric, Statistics
from ftcore.default_plugins.classification.task import ClassificationTask

TASK = ClassificationTask()
_MANY = 1_000_000  # examples that the truth is computed from
_CHUNK = 250_000


@dataclass(frozen=True)
class Problem:
    """Classes that Gaussians lie about, at `distance` from the origin along an axis each.

    Logits are those of Bayes' rule, times `temperature`, which above 1 makes them overconfident.
    """

    name: str
    prior: tuple[float, ...]
    distance: float
    temperature: float = 1.0

    def targets(self, count: int, generator: Generator) -> NDArray[np.int64]:
        return generator.choice(len(self.prior), size=count, p=self.prior)

    def noise(self, count: int, generator: Generator) -> NDArray[np.float64]:
        return generator.normal(size=(count, len(self.prior)))

    def logits(
        self,
        targets: NDArray[np.int64],
        noise: NDArray[np.float64],
        distance: float | None = None,
    ) -> Tensor:
        distance = self.distance if distance is None else distance
        seen = noise.copy()
        seen[np.arange(len(targets)), targets] += distance
        return torch.from_numpy(self.temperature * (distance * seen + np.log(self.prior)))

    def truth(self, metrics: Sequence[Metric], distance: float | None = None) -> dict[str, float]:
        """Return each metric of the classifier on very many examples."""
        generator = np.random.default_rng(12345)
        whole: Statistics | None = None
        for _ in range(_MANY // _CHUNK):
            targets = self.targets(_CHUNK, generator)
            logits = self.logits(targets, self.noise(_CHUNK, generator), distance)
            found = Statistics(scored(logits, torch.from_numpy(targets)).fields)
            whole = found if whole is None else whole + found
        assert whole is not None
        return {metric.name: float(metric.compute(whole)) for metric in metrics}


def scored(logits: Tensor, targets: Tensor, needs: Collection[str] = ()) -> Statistics:
    """Return the statistics of logits (N, C), as an evaluation makes them."""
    names = tuple(str(index) for index in range(logits.size(-1)))
    statistics = TASK.statistics(DataBundle("simulated", TASK.name, {}, names), needs)
    TASK.update_(statistics, logits, targets)
    return statistics


def even(classes: int) -> tuple[float, ...]:
    return (1 / classes,) * classes
