"""Do paired differences of two runs hold the truth, and do their tests reject it 5 times in 100?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from benchmarks.coverage.classifiers import TASK, Problem, even, scored
from benchmarks.coverage.tally import Coverage, Rejections, percentiles
from ftcore import Metric, Statistics
from ftcore.default_plugins import classification_metrics as metrics
from ftcore.engine.bca import bootstrap_interval
from ftcore.engine.replicates import replicates
from ftcore.significance.delong import delong, delong_interval
from ftcore.significance.paired import exact_p, mcnemar
from ftcore.significance.resampled import paired_bootstrap_interval, permutation

PART = "differences"
NOTHING = (math.nan, math.nan, "none")
DRAWS = 400  # enough for a standard error; a comparison draws more
SHARED = 0.7  # of the variance of the noise that two classifiers see
OF_CLASSES = (metrics.accuracy(), metrics.f1(), metrics.nll())
THREE, RARE = (
    Problem("3 classes, even", even(3), 2.0),
    Problem("4 classes, 70 / 20 / 7 / 3 %", (0.7, 0.2, 0.07, 0.03), 2.0),
)
RANKED = Problem("2 classes, 80 / 20 %", (0.8, 0.2), 1.2)
PAIRS = (
    (THREE, 2.0, 200),
    (THREE, 1.8, 200),
    (THREE, 2.0, 1000),
    (RARE, 2.0, 100),
    (RARE, 2.0, 200),
    (RARE, 1.8, 200),
)


@dataclass
class Counts:
    coverage: Coverage = field(default_factory=Coverage)
    rejections: Rejections = field(default_factory=Rejections)

    def rows(self, setting: str) -> Iterator[dict[str, Any]]:
        yield from self.coverage.rows(PART, setting)
        yield from self.rejections.rows(PART, setting)


def rows(simulations: int) -> Iterator[dict[str, Any]]:
    for problem, distance, n in PAIRS:
        first = problem.truth(OF_CLASSES)
        second = first if distance == problem.distance else problem.truth(OF_CLASSES, distance)
        truth = {name: first[name] - second[name] for name in first}
        yield from _of_classes(problem, distance, n, truth, simulations)
    for n in (100, 500):
        yield from _of_areas(n, simulations)


def _pair(problem: Problem, other: float, n: int, generator: Generator) -> tuple[Tensor, ...]:
    """Return the targets and two classifiers' logits; the second is as good as `other` makes it."""
    targets, common = problem.targets(n, generator), problem.noise(n, generator)
    logits = [
        problem.logits(
            targets,
            np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * problem.noise(n, generator),
            distance,
        )
        for distance in (problem.distance, other)
    ]
    return torch.from_numpy(targets), *logits


def _setting(problem: Problem, is_same: bool, n: int) -> str:
    return f"{problem.name}, {'equally good' if is_same else 'one is better'}, n = {n}"


def _of_classes(
    problem: Problem, other: float, n: int, truth: dict[str, float], simulations: int
) -> Iterator[dict[str, Any]]:
    generator, counts = np.random.default_rng(n), Counts()
    is_same = other == problem.distance
    for seed in range(simulations):
        targets, *logits = _pair(problem, other, n, generator)
        runs = [scored(each, targets) for each in logits]
        for metric in OF_CLASSES:
            _judge(counts, metric, runs, truth[metric.name], seed)
        if is_same and n < 1000:
            right = [run.rows["prediction"] == run.rows["target"] for run in runs]
            only = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
            counts.rejections.add("accuracy, McNemar mid-p", mcnemar(*only).p)
            counts.rejections.add("accuracy, exact McNemar", exact_p(*only))
            for metric in OF_CLASSES[:2]:
                p = _permuted(metric, runs, seed)
                counts.rejections.add(f"{metric.name}, permutation", p)
    yield from counts.rows(_setting(problem, is_same, n))


def _judge(
    counts: Counts, metric: Metric, runs: Sequence[Statistics], truth: float, seed: int
) -> None:
    drawn = replicates(TASK, [metric], runs, count=DRAWS, seed=seed)[metric.name]
    value = float(metric.compute(runs[0])) - float(metric.compute(runs[1]))
    found = paired_bootstrap_interval(drawn[0] - drawn[1], value, TASK.units(runs[0]))
    counts.coverage.add(f"{metric.name}, paired bootstrap", found.low, found.high, truth)
    if metric.name == "f1_macro":
        between = drawn[0] - drawn[1]
        counts.coverage.add("f1_macro, by percentiles", *percentiles(between), truth)
        low, high, _ = bootstrap_interval(between, value, TASK.units(runs[0])) or NOTHING
        counts.coverage.add("f1_macro, BCa", low, high, truth)
    if truth == 0:
        counts.rejections.add(f"{metric.name}, paired bootstrap", found.test.p)


def _permuted(metric: Metric, runs: Sequence[Statistics], seed: int) -> float:
    """Exchange the two runs' results on a random half of the examples, many times."""
    n, generator = TASK.units(runs[0]), np.random.default_rng(seed)
    is_kept = torch.from_numpy(generator.integers(2, size=(DRAWS, n)))
    weights = is_kept, 1 - is_kept
    parts = [[TASK.reweigh(run, metric.needs, each) for each in weights] for run in runs]
    first, second = parts[0][0] + parts[1][1], parts[0][1] + parts[1][0]
    exchanged = torch.as_tensor(metric.compute(first)) - torch.as_tensor(metric.compute(second))
    value = float(metric.compute(runs[0])) - float(metric.compute(runs[1]))
    return permutation(exchanged.numpy(), value).p


def _of_areas(n: int, simulations: int) -> Iterator[dict[str, Any]]:
    generator, counts, area = np.random.default_rng(n), Counts(), metrics.auroc()
    # Scores are a function of log-odds N(±distance, 2): see `metrics`.
    truth = float(torch.special.ndtr(torch.tensor(RANKED.distance, dtype=torch.float64)))
    for seed in range(simulations):
        targets, *logits = _pair(RANKED, RANKED.distance, n, generator)
        runs = [scored(each, targets, ("scores",)) for each in logits]
        scores = [run.rows["scores"][:, 0].numpy() for run in runs]
        is_positive = targets.numpy() == 1
        if min(is_positive.sum(), (~is_positive).sum()) < 2:
            continue
        found = delong(scores[0], scores[1], is_positive)
        counts.coverage.add("auroc, DeLong", found.low, found.high, 0.0)
        counts.rejections.add("auroc, DeLong", found.test.p)
        for name, is_logit in (("logit", True), ("plain", False)):
            _, low, high = delong_interval(scores[0], is_positive, is_logit=is_logit)
            counts.coverage.add(f"one auroc, DeLong, {name}", low, high, truth)
        if n < 500:
            _judge(counts, area, runs, 0.0, seed)
    yield from counts.rows(_setting(RANKED, True, n))
