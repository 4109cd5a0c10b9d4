"""What the runs of one configuration say together: means, intervals, and what they vary by."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ftcore.engine.replicates import replicates
from ftcore.interfaces import ComparableTask, Metric, Task
from ftcore.record import (
    CellRecord,
    MemberRecord,
    MetricValue,
    ScoreRecord,
    SpreadRecord,
    finite_or_none,
)
from ftcore.significance.paired import Interval, corrected_interval
from ftcore.significance.resampled import seed_mean
from ftcore.significance.variance import variance_parts
from ftcore.studies.candidates import Candidate, Scored, statistics_of
from ftcore.studies.plan import Cell
from ftcore.studies.running import Result

DRAWS = 400  # that a standard deviation is taken from: it is then known to 4 %


def describe_cell(
    cell: Cell, results: Sequence[Result], task: Task, metrics: Sequence[Metric], runs: Candidate
) -> CellRecord:
    """Return the record of a configuration, from those of its runs that have a result."""
    freeze = runs.record.freeze if runs.runs else None
    return CellRecord(
        label=cell.label,
        settings=dict(cell.settings),
        metrics=_describe_scores(runs, task, metrics) if runs.runs else {},
        trained=None if freeze is None else freeze.trained,
        seconds=sum(result.seconds for result in results),
        runs=tuple(_member(result) for result in results),
    )


def _member(result: Result) -> MemberRecord:
    metrics = {} if result.record is None else result.record.metrics
    return MemberRecord(
        name=result.member.name,
        fold=result.member.fold,
        seed=result.member.seed,
        failure=result.failure,
        metrics={name: value.value for name, value in metrics.items()},
        seconds=result.seconds,
    )


def _describe_scores(
    runs: Candidate, task: Task, metrics: Sequence[Metric]
) -> dict[str, ScoreRecord]:
    sampling = _sampling(runs, task, metrics)
    return {
        metric.name: _Scores(runs, metric, sampling[metric.name]).describe() for metric in metrics
    }


def _sampling(
    runs: Candidate, task: Task, metrics: Sequence[Metric]
) -> dict[str, list[NDArray[np.float64]]]:
    """Return by metric the replicates (S, R) of each fold's runs, all on the same draws.

    Where a task keeps no rows, the widths of the runs' own intervals must do, as if a fold's
    seeds erred alike.
    """
    folds = [runs.of_fold(fold) for fold in runs.folds]
    if not isinstance(task, ComparableTask):
        return {
            metric.name: [np.outer(_deviations(fold, metric), [-1.0, 1.0]) for fold in folds]
            for metric in metrics
        }
    drawn = [
        replicates(
            task, metrics, statistics_of(fold, fold[0].predictions.ids, task, metrics), count=DRAWS
        )
        for fold in folds
    ]
    return {metric.name: [each[metric.name] for each in drawn] for metric in metrics}


@dataclass(frozen=True)
class _Scores:
    """One metric of the runs of one configuration, and replicates (S, R) of each fold's runs."""

    runs: Candidate
    metric: Metric
    sampling: Sequence[NDArray[np.float64]]

    def describe(self) -> ScoreRecord:
        folds = [self.runs.of_fold(fold) for fold in self.runs.folds]
        kept = [[run.record.metrics[self.metric.name] for run in fold] for fold in folds]
        table = [[value.value for value in row] for row in kept]
        means = [_mean(row) for row in table]
        interval, method, spread = self._judge(folds, kept, means)
        return ScoreRecord(
            value=finite_or_none(interval.value),
            low=finite_or_none(interval.low),
            high=finite_or_none(interval.high),
            n=self.runs.examples,
            method=method,
            higher_is_better=self.metric.higher_is_better,
            spread=spread,
            values=tuple(tuple(row) for row in table),
        )

    def _judge(
        self,
        folds: Sequence[Sequence[Scored]],
        kept: Sequence[Sequence[MetricValue]],
        means: Sequence[float],
    ) -> tuple[Interval, str, SpreadRecord]:
        mean = float(np.mean(means))
        if not math.isfinite(mean):
            return Interval(mean, math.nan, math.nan), "undefined", _spread(None, "undefined")
        spread = _split(kept, self.sampling)
        if len(folds) > 1:
            method = f"corrected t over {len(folds)} folds (Nadeau & Bengio 2003)"
            return corrected_interval(means, self.runs.test_over_train), method, spread
        if len(folds[0]) == 1:
            (only,) = kept[0]
            low, high = (math.nan if end is None else end for end in (only.low, only.high))
            return Interval(mean, low, high), only.method, spread
        values = np.array([value.value for value in kept[0]], dtype=np.float64)
        return seed_mean(values, self.sampling[0]), "t over seeds and test examples", spread


def _split(
    kept: Sequence[Sequence[MetricValue]], sampling: Sequence[NDArray[np.float64]]
) -> SpreadRecord:
    if len({len(row) for row in kept}) > 1:
        return _spread(None, "some runs failed, so that folds have different seeds")
    values = np.array([[value.value for value in row] for row in kept], dtype=np.float64)
    if not np.isfinite(values).all():
        return _spread(None, "a run's score is undefined")
    variances = np.array([np.nanvar(each, axis=1) for each in sampling])
    means = np.array([np.nanvar(each.mean(0)) for each in sampling])
    parts = variance_parts(values, variances, means)
    return SpreadRecord(
        test=math.sqrt(parts.sampling),
        seed=None if parts.seed is None else math.sqrt(parts.seed),
        fold=None if parts.fold is None else math.sqrt(parts.fold),
        note="; ".join(parts.notes),
    )


def _spread(value: float | None, note: str) -> SpreadRecord:
    return SpreadRecord(test=value, seed=value, fold=value, note=note)


def _deviations(fold: Sequence[Scored], metric: Metric) -> NDArray[np.float64]:
    values = [run.record.metrics[metric.name] for run in fold]
    widths = [(value.high or 0.0) - (value.low or 0.0) for value in values]
    return np.array(widths) / (2 * 1.96)


def _mean(row: Sequence[float | None]) -> float:
    return math.nan if None in row else float(np.mean(np.array(row, dtype=np.float64)))
