"""How a model fares on corrupted inputs, beside the same inputs as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from ftcore.engine.batches import RawSource
from ftcore.engine.evaluation import Evaluator
from ftcore.engine.intervals import intervals
from ftcore.engine.observer import Observer
from ftcore.engine.pairing import Sample, estimate, sample
from ftcore.errors import UsageError
from ftcore.interfaces import SEVERITIES, Backbone, Corruptible, Metric, Preprocess, Statistics
from ftcore.record import CorruptionRecord, CorruptionsRecord, MetricValue, SeverityRecord


@dataclass(frozen=True)
class Corrupted:
    """One way of corrupting inputs, at one severity."""

    name: str
    severity: int
    preprocess: Preprocess


def choose_corruptions(
    backbone: Backbone, names: str, severities: Sequence[int] = ()
) -> tuple[Corrupted, ...]:
    """Return what "all", or names joined with commas, and severities (by default all) stand for.

    Raises UsageError for a name or severity that does not exist, and for inputs that no corruption
    is known for.
    """
    preprocess = backbone.preprocess
    if not isinstance(preprocess, Corruptible):
        raise UsageError(
            f"the inputs of backbone {backbone.name!r} cannot be corrupted: its preprocessing, "
            f"{type(preprocess).__name__}, knows no corruptions; leave out --corruptions"
        )
    chosen = preprocess.corruptions if names == "all" else names.split(",")
    return tuple(
        Corrupted(name, severity, preprocess.corrupted(name, severity))
        for name in dict.fromkeys(chosen)
        for severity in sorted(set(severities)) or SEVERITIES
    )


@dataclass(frozen=True)
class Scores:
    """What a model scores on each corruption at each severity, and on the examples as they are."""

    metrics: Sequence[Metric]
    units: int
    clean: Mapping[str, Sample]
    cells: Mapping[str, Sequence[tuple[SeverityRecord, Mapping[str, Sample]]]]

    def describe(self) -> CorruptionsRecord:
        """Return the record; each corruption counts the same, and so does each severity."""
        means = {
            name: _mean([samples for _, samples in cells]) for name, cells in self.cells.items()
        }
        total, first = _mean(list(means.values())), self.metrics[0]
        sign = -1 if first.higher_is_better else 1
        mean, clean = sign * total[first.name], sign * self.clean[first.name]
        whole = 1 if first.higher_is_better else 0
        return CorruptionsRecord(
            corruptions=tuple(
                CorruptionRecord(
                    name=name,
                    severities=tuple(cell for cell, _ in cells),
                    mean=self._values(means[name]),
                )
                for name, cells in self.cells.items()
            ),
            mean=self._values(total),
            metric=first.name,
            mean_corruption_error=estimate(whole + mean, self.units, higher_is_better=False),
            relative_mean_corruption_error=estimate(
                mean - clean, self.units, higher_is_better=False
            ),
        )

    def _values(self, samples: Mapping[str, Sample]) -> dict[str, MetricValue]:
        return {
            each.name: estimate(
                samples[each.name], self.units, higher_is_better=each.higher_is_better
            )
            for each in self.metrics
        }


def evaluate_corrupted(
    evaluator: Evaluator,
    model: nn.Module,
    corrupted: Sequence[Corrupted],
    clean: tuple[RawSource, Statistics],
    observer: Observer,
) -> CorruptionsRecord:
    """Score a model on examples corrupted in each way; `clean` has them and what it scored."""
    task, metrics, (source, before) = evaluator.task, evaluator.metrics, clean
    cells: dict[str, list[tuple[SeverityRecord, Mapping[str, Sample]]]] = {}
    observer.step_started("corruptions", len(corrupted) * len(source.targets), "examples")
    for each in corrupted:
        damaged = RawSource(source.split, each.preprocess, source.seed)
        statistics, _ = evaluator.statistics(model, damaged, observer)
        measured = intervals(metrics, statistics, task)
        cell = SeverityRecord(severity=each.severity, metrics=measured)
        cells.setdefault(each.name, []).append((cell, sample(metrics, statistics, task)))
    observer.step_finished()
    scores = Scores(metrics, task.units(before), sample(metrics[:1], before, task), cells)
    return scores.describe()


def _mean(samples: Sequence[Mapping[str, Sample]]) -> dict[str, Sample]:
    return {name: np.mean([each[name] for each in samples], axis=0) for name in samples[0]}
