"""What a run added over each baseline, on the same test examples."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ftcore.engine.paired import bootstrapped, compare_successes, decide, describe_difference
from ftcore.engine.replicates import replicates
from ftcore.interfaces import ComparableTask, Metric, RowProportion, Statistics, Task
from ftcore.record import DifferenceRecord

DRAWS = 1000


@dataclass(frozen=True)
class Gains:
    """By baseline and metric, run minus baseline; and for a baseline without, why."""

    differences: dict[str, dict[str, DifferenceRecord]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


def find_gains(
    task: Task, metrics: Sequence[Metric], run: Statistics, baselines: Mapping[str, Statistics]
) -> Gains:
    """Return the paired differences; in each metric p is Holm's over all baselines."""
    if not isinstance(task, ComparableTask):
        reason = f"no gain: the task {task.name!r} keeps no rows that could be paired"
        return Gains({}, dict.fromkeys(baselines, reason))
    paired = {name: each for name, each in baselines.items() if _is_paired(run, each)}
    reason = "no gain: it keeps no row for each of the run's examples"
    reasons = {name: reason for name in baselines if name not in paired}
    if not paired:
        return Gains({}, reasons)
    models = [*paired.values(), run]
    drawn = replicates(task, metrics, models, count=DRAWS)
    differences: dict[str, dict[str, DifferenceRecord]] = {name: {} for name in paired}
    for metric in metrics:
        ours = drawn[metric.name][-1]
        value = float(metric.compute(run))
        found = []
        for each, theirs in zip(paired.values(), drawn[metric.name], strict=False):
            values = float(metric.compute(each)), value
            found.append(_difference(metric, (each, run), values, ours - theirs, task.units(run)))
        for name, difference in zip(paired, decide(found), strict=True):
            differences[name][metric.name] = difference
    return Gains(differences, reasons)


def _difference(
    metric: Metric,
    models: tuple[Statistics, Statistics],
    values: tuple[float, float],
    drawn: NDArray[np.float64],
    examples: int,
) -> DifferenceRecord:
    """The second model minus the first, its replicates given."""
    if not all(map(math.isfinite, values)):
        return describe_difference(metric, values, None, (), examples)
    found, test = bootstrapped(drawn, values[1] - values[0], examples)
    tests = [test]
    if isinstance(metric, RowProportion):
        tests.insert(0, compare_successes(metric, models[0].rows, models[1].rows))
    return describe_difference(metric, values, found, tests, examples)


def _is_paired(run: Statistics, baseline: Statistics) -> bool:
    lengths = {name: len(row) for name, row in run.rows.items()}
    return bool(lengths) and lengths == {name: len(row) for name, row in baseline.rows.items()}
