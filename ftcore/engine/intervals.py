"""Metrics' values with their 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from ftcore.engine.bca import LEVEL, bootstrap_interval
from ftcore.interfaces import Metric, Proportion, ResampledMetric, Statistics, Task
from ftcore.record import MetricValue, finite_or_none

_HELD = 2**21  # numbers of 8 bytes that one call of `Task.resample` may return; metrics copy them


def intervals(
    metrics: Sequence[Metric],
    statistics: Statistics,
    task: Task,
    *,
    replicates: int = 1000,
    seed: int = 0,
) -> dict[str, MetricValue]:
    """Return the value of each metric and its 95 % interval over the task's resampling units.

    A `Proportion` of the units themselves gets Wilson's score interval. All else gets
    `bootstrap_interval` of replicates over units drawn with replacement: the BCa interval, or,
    where replicates are biased, the basic and the normal one. How often they hold the truth is
    measured in docs/statistics.md. Replicates that are undefined are left out and counted in
    `method`. Where all replicates are the same, as when every prediction is right, they say
    nothing about the uncertainty, and there is no interval.

    `seed` decides the draws, whatever the number of threads; metrics that need the same share them.
    """
    values = {metric.name: float(metric.compute(statistics)) for metric in metrics}
    units = task.units(statistics)
    defined = [metric for metric in metrics if math.isfinite(values[metric.name])]
    simple = {metric.name: _trials(metric, statistics, units) for metric in defined}
    others = [metric for metric in defined if simple[metric.name] is None]
    drawn = bootstrap(others, statistics, task, replicates=replicates, seed=seed)
    measured = {}
    for metric in metrics:
        value = values[metric.name]
        low, high, method = None, None, "undefined"
        if metric.name in drawn:
            low, high, method = ends(drawn[metric.name], value, units)
        elif trials := simple.get(metric.name):
            low, high = wilson(*trials)
            method = "Wilson score"
        measured[metric.name] = MetricValue(
            value=finite_or_none(value),
            low=low,
            high=high,
            n=units,
            method=method,
            higher_is_better=metric.higher_is_better,
        )
    return measured


def _trials(metric: Metric, statistics: Statistics, units: int) -> tuple[int, int] | None:
    """Return successes and trials of a metric that is a proportion of the units themselves."""
    if not isinstance(metric, Proportion):
        return None
    trials = metric.trials(statistics)
    return trials if trials[1] == units else None


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return Wilson's 95 % score interval of a proportion, for at least one trial.

    Source: Wilson 1927, Journal of the American Statistical Association 22.
    """
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    share, spread = successes / trials, z * z / trials
    centre = (share + spread / 2) / (1 + spread)
    reach = math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    # Rounding must not push an end past the proportion itself, which it meets at 0 and at 1.
    return max(0.0, min(share, centre - reach)), min(1.0, max(share, centre + reach))


def bootstrap(
    metrics: Sequence[Metric],
    statistics: Statistics,
    task: Task,
    *,
    replicates: int = 1000,
    seed: int = 0,
) -> dict[str, NDArray[np.float64]]:
    """Return each metric of every bootstrap replicate, (replicates,); NaN where undefined.

    A `ResampledMetric` makes its own; the others are computed from replicates of the statistics.
    """
    drawn = {metric.name: np.empty(replicates) for metric in metrics}
    others: list[Metric] = []
    for metric in metrics:
        if isinstance(metric, ResampledMetric):
            drawn[metric.name] = metric.bootstrap(statistics, replicates, seed)
        else:
            others.append(metric)
    for needs in dict.fromkeys(frozenset(metric.needs) for metric in others):
        sharing = [metric for metric in others if frozenset(metric.needs) == needs]
        generator = np.random.default_rng(seed)
        step = max(1, _HELD // max(1, _size_of_replicate(needs, statistics)))
        for start in range(0, replicates, step):
            count = min(step, replicates - start)
            replicated = task.resample(statistics, sharing[0].needs, count, generator)
            for metric in sharing:
                drawn[metric.name][start : start + count] = metric.compute(replicated)
    return drawn


def _size_of_replicate(needs: Collection[str], statistics: Statistics) -> int:
    # A metric that needs a row gets a weight for each unit of every replicate.
    rows = [name for name in needs if name not in statistics.fields]
    sizes = [statistics.fields[name].numel() for name in needs if name not in rows]
    return sum(sizes) + max((len(statistics.rows[name]) for name in rows), default=0)


def ends(
    drawn: NDArray[np.float64], value: float, units: int
) -> tuple[float | None, float | None, str]:
    """Return low, high and method of a value's interval, from its replicates (R,); None is none."""
    draws = f"{len(drawn)} multinomial draws"
    defined = drawn[np.isfinite(drawn)]
    if len(defined) < len(drawn):
        draws += f", undefined in {len(drawn) - len(defined)}"
    found = bootstrap_interval(defined, value, units)
    if found is None:
        return None, None, f"none (bootstrap, {draws}, all the same)"
    low, high, name = found
    return low, high, f"{name}, {draws}"
