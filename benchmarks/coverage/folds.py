"""Do intervals over five folds hold a procedure's accuracy, and do their tests reject 5 in 100?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.coverage.tally import Coverage, Rejections
from ftcore.engine.intervals import wilson
from ftcore.significance.paired import corrected_interval, corrected_t

PART = "folds"
FOLDS, FEATURES, DISTANCE = 5, 10, 2.0
Inputs: TypeAlias = NDArray[np.float64]
Labels: TypeAlias = NDArray[np.int64]


def nearest_centroid(inputs: Inputs, labels: Labels, asked: Inputs) -> Labels:
    first, second = inputs[labels == 0].mean(0), inputs[labels == 1].mean(0)
    is_second: NDArray[np.bool_] = (asked - (first + second) / 2) @ (second - first) > 0
    return is_second.astype(np.int64)


def ridge(inputs: Inputs, labels: Labels, asked: Inputs) -> Labels:
    mean, share = inputs.mean(0), labels.mean()
    centred = inputs - mean
    gram = centred.T @ centred + np.eye(inputs.shape[1])
    weight = np.linalg.solve(gram, centred.T @ (labels - share))
    is_second: NDArray[np.bool_] = (asked - mean) @ weight + share > 0.5
    return is_second.astype(np.int64)


def nearest_neighbour(inputs: Inputs, labels: Labels, asked: Inputs) -> Labels:
    nearest: Labels = (np.square(inputs).sum(1) - 2 * asked @ inputs.T).argmin(1)
    return labels[nearest]


@dataclass(frozen=True)
class Learner:
    """A way of training; where it is random, each seed sees one half of the features."""

    name: str
    fit: Callable[[Inputs, Labels, Inputs], Labels]
    is_random: bool = False

    def predict(
        self, inputs: Inputs, labels: Labels, asked: Inputs, generator: Generator
    ) -> Labels:
        if not self.is_random:
            return self.fit(inputs, labels, asked)
        chosen = generator.permutation(inputs.shape[1])[: inputs.shape[1] // 2]
        return self.fit(inputs[:, chosen], labels, asked[:, chosen])


SETTINGS = (
    (Learner("nearest centroid", nearest_centroid), 300, 1),
    (Learner("ridge", ridge), 100, 1),
    (Learner("ridge", ridge), 300, 1),
    (Learner("1-NN", nearest_neighbour), 100, 1),
    (Learner("1-NN", nearest_neighbour), 300, 1),
    (Learner("ridge on half the features", ridge, is_random=True), 300, 1),
    (Learner("ridge on half the features", ridge, is_random=True), 300, 3),
)


def rows(simulations: int) -> Iterator[dict[str, Any]]:
    for learner, n, seeds in SETTINGS:
        yield from _setting(learner, n, seeds, simulations)


def _examples(count: int, generator: Generator) -> tuple[Inputs, Labels]:
    """Twenty features, of which either half says as much about the label."""
    labels = generator.integers(2, size=count)
    noise = generator.normal(size=(count, 2 * FEATURES))
    return noise + (labels[:, None] - 0.5) * DISTANCE / np.sqrt(FEATURES), labels


def _truth(learner: Learner, trained_on: int) -> float:
    """Return the mean accuracy of what the learner makes of very many training sets."""
    generator = np.random.default_rng(9)
    shares = []
    for _ in range(4000):
        inputs, labels = _examples(trained_on, generator)
        asked, right = _examples(1000, generator)
        own = slice(FEATURES)
        found = learner.predict(inputs[:, own], labels, asked[:, own], generator)
        shares.append((found == right).mean())
    return float(np.mean(shares))


def _setting(learner: Learner, n: int, seeds: int, simulations: int) -> Iterator[dict[str, Any]]:
    truth, ratio = _truth(learner, n - n // FOLDS), 1 / (FOLDS - 1)
    generator, held, rejected = np.random.default_rng(n + seeds), Coverage(), Rejections()
    for _ in range(simulations):
        right = _cross_validate(learner, n, seeds, generator)
        scores = right.mean(axis=(1, 3))  # of either half of the features, (2, folds)
        held.add("mean, corrected", *corrected_interval(scores[0], ratio)[1:], truth)
        held.add("mean, naive s / √5", *corrected_interval(scores[0], 0)[1:], truth)
        if seeds == 1:
            pooled = wilson(int(right[0].sum()), right[0].size)
            held.add("mean, Wilson of all examples", *pooled, truth)
        found = corrected_t(scores[0] - scores[1], ratio)
        held.add("difference, corrected t", found.low, found.high, 0.0)
        rejected.add("corrected t", found.test.p)
        rejected.add("naive paired t", corrected_t(scores[0] - scores[1], 0).test.p)
    setting = f"{learner.name}, n = {n}, {seeds} seed{'s' if seeds > 1 else ''}"
    yield from held.rows(PART, setting)
    yield from rejected.rows(PART, setting)


def _cross_validate(
    learner: Learner, n: int, seeds: int, generator: Generator
) -> NDArray[np.bool_]:
    """Return what is right, (2 halves of the features, seeds, folds, examples of a fold)."""
    inputs, labels = _examples(n, generator)
    right = np.empty((2, seeds, FOLDS, n // FOLDS), dtype=np.bool_)
    for fold in range(FOLDS):
        is_test = np.arange(n) % FOLDS == fold
        for half in range(2):
            part = inputs[:, half * FEATURES : (half + 1) * FEATURES]
            for seed in range(seeds):
                found = learner.predict(part[~is_test], labels[~is_test], part[is_test], generator)
                right[half, seed, fold] = found == labels[is_test]
    return right
