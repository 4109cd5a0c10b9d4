"""Made-up features and source probabilities, of every shape that scores meet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Case:
    """Features (N, D), targets (N,), and probabilities of a source head (N, Z)."""

    features: NDArray[np.float64]
    targets: NDArray[np.int64]
    source: NDArray[np.float64]


def make_case(n: int, d: int, sizes: tuple[int, ...], *, rank: int = 0, seed: int = 0) -> Case:
    """Classes of those relative sizes around means of their own; labels leave gaps: 0, 3, 6, …"""
    generator = np.random.default_rng(seed)
    shares = np.array(sizes) / sum(sizes)
    targets = generator.choice(len(sizes), n, p=shares)
    targets[: 2 * len(sizes)] = np.arange(2 * len(sizes)) % len(sizes)
    features = generator.normal(size=(n, d)) + 1.5 * generator.normal(size=(len(sizes), d))[targets]
    if rank:
        features = features[:, :rank] @ generator.normal(size=(rank, d))
    logits = 2 * generator.normal(size=(n, 4)) + generator.normal(size=(len(sizes), 4))[targets]
    source = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return Case(features + 3.0, 3 * targets.astype(np.int64), source)


CASES = {
    "more examples than features": make_case(60, 7, (1, 1, 1)),
    "unequal classes": make_case(80, 5, (10, 3, 1, 1), seed=1),
    "two classes": make_case(40, 12, (1, 1), seed=2),
    "more features than examples": make_case(24, 50, (2, 1, 1), seed=3),
    "features that depend on each other": make_case(50, 9, (1, 1, 1), rank=4, seed=4),
}
