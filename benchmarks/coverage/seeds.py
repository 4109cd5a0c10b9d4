"""Do differences of seed means, and the means, hold what all seeds would have on all examples?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import ndtr

from benchmarks.coverage.classifiers import TASK, scored
from benchmarks.coverage.tally import Coverage, Rejections
from ftcore import Statistics
from ftcore.default_plugins import classification_metrics as metrics
from ftcore.engine.replicates import replicates
from ftcore.significance.resampled import combined, seed_mean

PART = "seeds"
DRAWS = 400
EXAMPLES = 300
GOOD, BETTER = 1.0, 1.15
# How far seeds differ in skill, and how much of an example's difficulty all of them share.
KINDS = (
    ("seeds differ much", 0.25, 1.0),
    ("seeds differ little", 0.03, 1.0),
    ("seeds err on other examples", 0.0, 0.3),
)


def rows(simulations: int) -> Iterator[dict[str, Any]]:
    for name, spread, shared in KINDS:
        for seeds in (2, 3, 5):
            for is_same in (True, False) if seeds == 3 else (True,):
                setting = f"{name}, {seeds} seeds, {'equally good' if is_same else 'one better'}"
                yield from _setting(setting, seeds, (spread, shared), is_same, simulations)


def _setting(
    setting: str, seeds: int, kind: tuple[float, float], is_same: bool, simulations: int
) -> Iterator[dict[str, Any]]:
    generator, held, rejected = np.random.default_rng(seeds), Coverage(), Rejections()
    skills = GOOD, GOOD if is_same else BETTER
    truths = [_share_right(skill, *kind) for skill in skills]
    accuracy = metrics.accuracy()
    for seed in range(simulations):
        difficulty = generator.normal(size=EXAMPLES)
        runs = [
            _run(skill + kind[0] * generator.normal(), kind[1], difficulty, generator)
            for skill in skills
            for _ in range(seeds)
        ]
        values = np.array([float(accuracy.compute(run)) for run in runs])
        drawn = replicates(TASK, [accuracy], runs, count=DRAWS, seed=seed)[accuracy.name]
        found = combined(values[:seeds], values[seeds:], drawn[:seeds], drawn[seeds:])
        held.add("difference of means", found.low, found.high, truths[0] - truths[1])
        if is_same:
            rejected.add("difference of means", found.test.p)
        _, low, high = seed_mean(values[:seeds], drawn[:seeds])
        held.add("mean", low, high, truths[0])
    yield from held.rows(PART, setting)
    yield from rejected.rows(PART, setting)


def _run(
    skill: float, shared: float, difficulty: NDArray[np.float64], generator: Generator
) -> Statistics:
    """Return a run that is right where its skill exceeds an example's difficulty, by its lights."""
    noise = generator.normal(size=len(difficulty))
    is_right = skill > np.sqrt(shared) * difficulty + np.sqrt(1.5 - shared) * noise
    targets = np.arange(len(difficulty)) % 2
    predictions = np.where(is_right, targets, 1 - targets)
    return scored(torch.eye(2)[predictions], torch.from_numpy(targets))


def _share_right(skill: float, spread: float, shared: float) -> float:
    # The variance of the difficulty, as a run sees it, is 1.5 whatever share of it is common.
    return float(ndtr(skill / np.sqrt(1.5 + spread**2)))
