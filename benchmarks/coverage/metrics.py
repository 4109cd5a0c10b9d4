"""Do the intervals of a run's metrics hold their values on all examples there could be?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from scipy.special import ndtr
from scipy.stats import binom

from benchmarks.coverage.classifiers import TASK, Problem, even, scored
from benchmarks.coverage.tally import Coverage, percentiles
from ftcore import Metric
from ftcore.default_plugins import classification_metrics as metrics
from ftcore.engine.intervals import bootstrap, intervals, wilson

PART = "metrics"
F1 = metrics.f1()
OF_COUNTS = (F1, metrics.balanced_accuracy(), metrics.mcc())
OF_PROBABILITIES = (metrics.nll(), metrics.brier(), metrics.ece())
_Sized: TypeAlias = tuple[tuple[Problem, tuple[int, ...]], ...]
PROBLEMS: _Sized = (
    (Problem("3 classes, even", even(3), 2.0), (200, 500, 2000)),
    (Problem("10 classes, even", even(10), 2.0), (200, 500, 2000)),
    (Problem("30 classes, even", even(30), 2.5), (200, 500, 2000)),
    (Problem("4 classes, 70 / 20 / 7 / 3 %", (0.7, 0.2, 0.07, 0.03), 2.0), (200, 500, 2000)),
    (Problem("2 classes, 90 / 10 %", (0.9, 0.1), 1.8), (200, 500, 2000)),
    (Problem("2 classes, 97 % right", even(2), 2.66), (200, 500, 2000)),
)
CALIBRATION: _Sized = (
    (Problem("3 classes, calibrated", even(3), 2.0), (200, 1000)),
    (Problem("3 classes, overconfident", even(3), 2.0, 2.0), (200, 1000)),
    (Problem("2 classes, 97 % right, overconfident", even(2), 2.66, 1.5), (200, 1000)),
)
RANKING: _Sized = (
    (Problem("2 classes, 90 / 10 %", (0.9, 0.1), 1.0), (200, 500)),
    (Problem("2 classes, 70 / 30 %", (0.7, 0.3), 2.0), (200, 500)),
)


def rows(simulations: int) -> Iterator[dict[str, Any]]:
    yield from _proportions()
    for problem, sizes in PROBLEMS:
        yield from _simulated(problem, sizes, OF_COUNTS, problem.truth(OF_COUNTS), simulations)
    for problem, sizes in CALIBRATION:
        truth = problem.truth(OF_PROBABILITIES)
        yield from _simulated(problem, sizes, OF_PROBABILITIES, truth, simulations)
    area = metrics.auroc()
    for problem, sizes in RANKING:
        # The log-odds of two classes are `distance` times N(±distance, 2), up to a constant.
        truth = {area.name: float(ndtr(problem.distance))}
        yield from _simulated(problem, sizes, (area,), truth, simulations)


def _proportions() -> Iterator[dict[str, Any]]:
    """Of accuracy the coverage needs no simulation: it is a sum over the binomial."""
    for n in (50, 200, 1000, 5000):
        successes = np.arange(n + 1)
        ends = np.array([wilson(int(k), n) for k in successes])
        for share in (0.5, 0.8, 0.9, 0.97, 0.99):
            chance = binom.pmf(successes, n, share)
            below, above = chance[share < ends[:, 0]].sum(), chance[share > ends[:, 1]].sum()
            yield {
                "part": PART,
                "what": "accuracy",
                "setting": f"{share:.0%} right, n = {n}",
                "simulations": None,
                "held": 1 - below - above,
                "truth_below": below,
                "truth_above": above,
                "without": 0,
                "mean_width": float((chance * (ends[:, 1] - ends[:, 0])).sum()),
            }


def _simulated(
    problem: Problem,
    sizes: Sequence[int],
    measured: Sequence[Metric],
    truth: dict[str, float],
    simulations: int,
) -> Iterator[dict[str, Any]]:
    needs = ("scores",) if any("scores" in metric.needs for metric in measured) else ()
    for n in sizes:
        generator, tally = np.random.default_rng(n), Coverage()
        for seed in range(simulations):
            targets = problem.targets(n, generator)
            logits = problem.logits(targets, problem.noise(n, generator))
            statistics = scored(logits, torch.from_numpy(targets), needs)
            for name, found in intervals(measured, statistics, TASK, seed=seed).items():
                tally.add(name, found.low, found.high, truth[name])
            if F1 in measured:
                drawn = bootstrap([F1], statistics, TASK, seed=seed)[F1.name]
                tally.add("f1_macro by percentiles", *percentiles(drawn), truth[F1.name])
        yield from tally.rows(PART, f"{problem.name}, n = {n}")
