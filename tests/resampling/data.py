"""Scores with and without ties, and what they are of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def scored(examples: int, seed: int = 0, has_ties: bool = False) -> tuple[Floats, Bools]:
    """Return scores (N,), rounded for ties, and which examples are positive, (N,)."""
    generator = np.random.default_rng(seed)
    is_positive = generator.random(examples) < 0.4
    scores = generator.normal(size=examples) + is_positive
    return np.round(scores, 1) if has_ties else scores, is_positive


def groups_of(examples: int, seed: int = 1) -> list[int]:
    """Return to which of some groups each example belongs, (N,)."""
    drawn = np.random.default_rng(seed).integers(max(1, examples // 3), size=examples)
    return [int(group) for group in drawn]


def bits(values: NDArray[np.generic]) -> bytes:
    """Return what two arrays share only if they are the same to the last bit."""
    return f"{values.dtype} {values.shape}".encode() + values.tobytes()
