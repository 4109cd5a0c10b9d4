"""What 2,000 bootstrap replicates of an AUROC of 50,000 examples cost, here and in SciPy.

    OMP_NUM_THREADS=1 python -m benchmarks.bench_resample --out benchmarks/results/resample.json

Each contestant has a process of its own in each round. Memory is what the resident set's peak grows
by from before the call, with the scores in memory already. SciPy is given three statistics: ranks
(`rankdata`, right with ties too), sorting (which these scores allow, having no ties), and counting,
which is what ftcore does, written in NumPy: it draws places in the order of the scores, sorted
beforehand, and is no function of the scores any more.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.measurement import ROUNDS, forget_peak, host, peak_mib, write_results

EXAMPLES, REPLICATES = 50_000, 2_000
PACKAGES = ("numpy", "scipy", "torch")

Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Interval: TypeAlias = tuple[float, float]
Contestant: TypeAlias = Callable[[Floats, Bools, int], Interval]


def scored(examples: int) -> tuple[Floats, Bools]:
    """Return scores (N,) without ties, of which 3 in 10 are positive."""
    generator = np.random.default_rng(0)
    is_positive = generator.random(examples) < 0.3
    return generator.normal(size=examples) + is_positive, is_positive


def percentiles(values: Floats) -> Interval:
    low, high = np.quantile(values, [0.025, 0.975]).tolist()
    return low, high


def by_ftcore(threads: int) -> Contestant:
    def interval(scores: Floats, is_positive: Bools, replicates: int) -> Interval:
        from ftcore import resampling

        return percentiles(
            resampling.bootstrap_auroc(scores, is_positive, replicates, 0, threads=threads)
        )

    return interval


def by_weights(scores: Floats, is_positive: Bools, replicates: int) -> Interval:
    """Weights of all examples, and the metric in torch: the general way through the engine."""
    import torch

    from ftcore.default_plugins.classification.task import ClassificationTask
    from ftcore.default_plugins.classification_metrics import threshold
    from ftcore.default_plugins.classification_metrics.kinds import FunctionMetric
    from ftcore.engine.intervals import bootstrap
    from ftcore.interfaces import DataBundle

    task, metric = ClassificationTask(), FunctionMetric("m", ("scores", "target"), threshold.auroc)
    bundle = DataBundle("made-up", "classification", {}, ("no", "yes"))
    statistics = task.statistics(bundle, ("scores",))
    logits = torch.from_numpy(np.stack([np.zeros_like(scores), scores], axis=1))
    task.update_(statistics, logits, torch.from_numpy(is_positive.astype(np.int64)))
    return percentiles(bootstrap([metric], statistics, task, replicates=replicates)["m"])


def auroc_of_ranks(scores: Floats, is_positive: Bools, axis: int = -1) -> Any:
    from scipy.stats import rankdata

    positives = is_positive.sum(axis)
    ranks = (rankdata(scores, axis=axis) * is_positive).sum(axis)
    pairs = positives * (is_positive.shape[axis] - positives)
    return (ranks - positives * (positives + 1) / 2) / pairs


def auroc_of_sorted(scores: Floats, is_positive: Bools, axis: int = -1) -> Any:
    order = np.argsort(scores, axis=axis)
    positive = np.take_along_axis(is_positive, order, axis)
    negatives = np.cumsum(~positive, axis=axis)
    return (negatives * positive).sum(axis) / (positive.sum(axis) * negatives[..., -1])


def by_scipy(statistic: Callable[..., Any], batch: int | None) -> Contestant:
    def interval(scores: Floats, is_positive: Bools, replicates: int) -> Interval:
        return of_scipy((scores, is_positive), statistic, replicates, batch)

    return interval


def by_counting(batch: int | None) -> Contestant:
    def interval(scores: Floats, is_positive: Bools, replicates: int) -> Interval:
        positive = is_positive[np.argsort(scores)]

        def auroc(places: Ints, axis: int = -1) -> Any:
            rows = np.atleast_2d(places)
            size = rows.shape[1]
            rows = rows + np.arange(len(rows))[:, None] * size
            counts = np.bincount(rows.ravel(), minlength=rows.size).reshape(rows.shape)
            negatives, positives = np.cumsum(counts * ~positive, axis=-1), counts * positive
            value = (negatives * positives).sum(-1) / (negatives[:, -1] * positives.sum(-1))
            return value if places.ndim == 2 else value[0]

        return of_scipy((np.arange(len(scores)),), auroc, replicates, batch)

    return interval


def of_scipy(
    data: tuple[NDArray[Any], ...],
    statistic: Callable[..., Any],
    replicates: int,
    batch: int | None,
) -> Interval:
    from scipy.stats import bootstrap

    found = bootstrap(
        data,
        statistic,
        n_resamples=replicates,
        batch=batch,
        vectorized=True,
        paired=len(data) > 1,
        method="percentile",
        rng=0,
    ).confidence_interval
    return float(found.low), float(found.high)


# Batches in which SciPy is fastest here, beside its default of all replicates at once.
CONTESTANTS: dict[str, Contestant] = {
    "ftcore": by_ftcore(1),
    "ftcore, two threads": by_ftcore(2),
    "ftcore in NumPy": by_ftcore(1),
    "weights in torch": by_weights,
    "scipy, ranks": by_scipy(auroc_of_ranks, None),
    "scipy, ranks, batch=16": by_scipy(auroc_of_ranks, 16),
    "scipy, sorting": by_scipy(auroc_of_sorted, None),
    "scipy, sorting, batch=4": by_scipy(auroc_of_sorted, 4),
    "scipy, counting": by_counting(None),
    "scipy, counting, batch=1": by_counting(1),
}
ENVIRONMENTS = {"ftcore in NumPy": {"FTCORE_KERNEL": "torch"}}


def measure(name: str) -> dict[str, Any]:
    """Return what one call of a contestant took in this process."""
    contestant = CONTESTANTS[name]
    contestant(*scored(100), 10)  # imports, and fills the allocator
    scores, is_positive = scored(EXAMPLES)
    forget_peak()
    before, wall, cpu = peak_mib(), time.perf_counter(), time.process_time()
    low, high = contestant(scores, is_positive, REPLICATES)
    return {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "extra_mib": peak_mib() - before,
        "interval": (low, high),
    }


def measured_apart(name: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.bench_resample", "--contestant", name]
    environment = {**os.environ, **ENVIRONMENTS.get(name, {})}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    taken: dict[str, Any] = json.loads(done.stdout)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="", help="JSON file to write")
    parser.add_argument("--contestant", choices=CONTESTANTS, help="measure it alone, and print it")
    options = parser.parse_args()
    if options.contestant:
        print(json.dumps(measure(options.contestant)))
        return
    from ftcore import resampling

    if not resampling.kernel().is_native:
        raise SystemExit(f"nothing to measure: {resampling.kernel()}")
    rounds: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTESTANTS}
    for _ in range(ROUNDS):
        for name, taken in rounds.items():
            taken.append(measured_apart(name))
            print(name, taken[-1], flush=True)
    rows = [
        {
            "contestant": name,
            "examples": EXAMPLES,
            "replicates": REPLICATES,
            "threads": 2 if "two" in name else 1,
            "interval": taken[0]["interval"],
            **{key: median(one[key] for one in taken) for key in ("wall_s", "cpu_s", "extra_mib")},
        }
        for name, taken in rounds.items()
    ]
    write_results(options.out, rows, host(PACKAGES))


if __name__ == "__main__":
    main()
