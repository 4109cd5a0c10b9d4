"""Metrics by spec, as the registry makes them, and random batches with classes left out."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from ftcore import Metric, Statistics
from ftcore.default_plugins import classification_metrics as plugin
from ftcore.default_plugins.classification.task import ClassificationTask
from ftcore.registry import Registry
from tests.default_plugins.classification.data import batch, bundle

TASK = ClassificationTask()
REGISTRY: Registry[Metric] = Registry("metric")
plugin.register_metrics(REGISTRY.registrar("classification-metrics"))
NAMES = [entry.name for entry in REGISTRY]


def statistics_of(logits: Tensor, targets: Tensor) -> Statistics:
    """Return statistics with all fields and rows, scores among them."""
    statistics = TASK.statistics(bundle([0], logits.size(-1)), ("scores",))
    TASK.update_(statistics, logits, targets)
    return statistics


def value(spec: str, logits: Tensor, targets: Tensor) -> float:
    return float(REGISTRY.create(spec).compute(statistics_of(logits, targets)))


def random_batches() -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches of 2 to 6 classes; with ties and with classes left out."""
    for seed in range(60):
        classes = 2 + seed % 5
        logits, targets = batch(5 + 3 * seed, classes, seed)
        if seed % 3 == 1 and classes > 2:
            targets = targets.where(targets != 0, classes - 1)
            logits[:, 0] -= 25 * (seed % 2)  # and then also never predicted
        if seed % 4 == 1:
            logits[:, -1] -= 25
        if seed % 5 == 1:
            logits = logits.round()  # so that there are ties
        yield logits, targets
