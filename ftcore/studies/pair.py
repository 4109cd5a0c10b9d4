"""Two candidates on the same test examples, in one metric."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ftcore.engine.paired import (
    bootstrapped,
    compare_successes,
    describe_difference,
    describe_test,
)
from ftcore.engine.replicates import replicates
from ftcore.interfaces import ComparableTask, Metric, RowProportion
from ftcore.record import DifferenceRecord, SignificanceRecord
from ftcore.significance.paired import Difference, corrected_t
from ftcore.significance.resampled import combined
from ftcore.studies.candidates import Candidate, Scored, align, statistics_of


@dataclass(frozen=True)
class Pair:
    """Differences are second minus first."""

    first: Candidate
    second: Candidate
    task: ComparableTask
    metric: Metric

    def compare(self) -> DifferenceRecord:
        """Return the difference with its interval and tests, p not corrected for other pairs."""
        first, second = self._values(self.first), self._values(self.second)
        if not (np.isfinite(first).all() and np.isfinite(second).all()):
            return self._record(first, second, None, ())
        if len(self.first.folds) > 1:
            differences = second.mean(1) - first.mean(1)
            found = corrected_t(differences, self.first.test_over_train)
            return self._record(
                first, second, found, (describe_test("corrected t over folds", found),)
            )
        return self._record(first, second, *self._on_one_part(first[0], second[0]))

    def _values(self, candidate: Candidate) -> NDArray[np.float64]:
        """The metric of every run, (folds, seeds), over the seeds that all folds have."""
        folds = [candidate.of_fold(fold) for fold in self.first.folds]
        common = set.intersection(*({run.seed for run in runs} for runs in folds))
        return np.array(
            [[self._value(run) for run in runs if run.seed in common] for runs in folds]
        )

    def _value(self, run: Scored) -> float:
        kept = run.record.metrics.get(self.metric.name)
        if kept is not None:
            return math.nan if kept.value is None else kept.value
        (statistics,) = statistics_of([run], run.predictions.ids, self.task, [self.metric])
        return float(self.metric.compute(statistics))

    def _on_one_part(
        self, first: NDArray[np.float64], second: NDArray[np.float64]
    ) -> tuple[Difference, tuple[SignificanceRecord, ...]]:
        runs = self.first.runs + self.second.runs
        ids = runs[0].predictions.ids
        statistics = statistics_of(runs, ids, self.task, [self.metric])
        drawn = replicates(self.task, [self.metric], statistics)[self.metric.name]
        of_first, of_second = drawn[: len(first)], drawn[len(first) :]
        if len(first) > 1 and len(second) > 1:
            found = combined(second, first, of_second, of_first)
            tests = [describe_test("seeds and test examples", found)]
        else:
            value = float(second.mean() - first.mean())
            differences = of_second.mean(0) - of_first.mean(0)
            found, test = bootstrapped(differences, value, len(ids))
            tests = [test]
        if isinstance(self.metric, RowProportion):
            self._add_mcnemar(self.metric, tests, is_single=len(first) == len(second) == 1)
        return found, tuple(tests)

    def _add_mcnemar(
        self, metric: RowProportion, tests: list[SignificanceRecord], *, is_single: bool
    ) -> None:
        """Put it first where there is one model on either side, else behind the test of seeds."""
        first, second = self.first.runs[0], self.second.runs[0]
        aligned = align(second, first.predictions.ids).rows
        if is_single:
            tests.insert(0, compare_successes(metric, first.predictions.rows, aligned))
        elif self.first.is_run and self.second.is_run:
            tests.append(compare_successes(metric, first.predictions.rows, aligned))

    def _record(
        self,
        first: NDArray[np.float64],
        second: NDArray[np.float64],
        found: Difference | None,
        tests: tuple[SignificanceRecord, ...],
    ) -> DifferenceRecord:
        values = float(first.mean()), float(second.mean())
        return describe_difference(self.metric, values, found, tests, self.first.examples)
