"""Resampling written for clarity: one unit after the other, in Python's own integers and floats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LOW = 0xFFFFFFFF


def philox4x32(counter: Sequence[int], key: Sequence[int]) -> list[int]:
    """Philox 4x32 with ten rounds, as figure 3 of Salmon et al. 2011 has it."""
    (a, b, c, d), (left, right) = counter, key
    for _ in range(10):
        first, second = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (
            (second >> 32) ^ b ^ left,
            second & LOW,
            (first >> 32) ^ d ^ right,
            first & LOW,
        )
        left, right = (left + 0x9E3779B9) & LOW, (right + 0xBB67AE85) & LOW
    return [a, b, c, d]


def draw(units: int, replicate: int, place: int, seed: int) -> int:
    """The unit that one draw takes: each of them with the same probability."""
    attempt = 0
    while True:
        counter = (place // 4, replicate, attempt, 0)
        word = philox4x32(counter, (seed & LOW, seed >> 32))[place % 4]
        unit, rest = divmod(word * units, 2**32)
        if rest >= 2**32 % units:
            return unit
        attempt += 1


def draws(units: int, replicate: int, seed: int) -> list[int]:
    """The units that a replicate draws."""
    return [draw(units, replicate, place, seed) for place in range(units)]


def swaps(units: int, replicate: int, seed: int) -> list[bool]:
    """The units that a permutation swaps."""
    swapped = []
    for unit in range(units):
        words = philox4x32((unit // 128, replicate, 0, 1), (seed & LOW, seed >> 32))
        swapped.append(bool(words[unit % 128 // 32] >> unit % 32 & 1))
    return swapped


def members(unit: int, groups: Sequence[int] | None) -> list[int]:
    """The examples of a unit, which is a group or an example; groups are numbered by size."""
    if groups is None:
        return [unit]
    name = sorted(set(groups))[unit]
    return [example for example, group in enumerate(groups) if group == name]


def bootstrapped(
    statistic: Callable[[NDArray[np.int64]], float],
    examples: int,
    replicates: int,
    seed: int,
    groups: Sequence[int] | None = None,
) -> list[float]:
    """What a function of drawn examples, which it is given by their indices, gives each time."""
    units = examples if groups is None else len(set(groups))
    values = []
    for replicate in range(replicates):
        drawn = [m for unit in draws(units, replicate, seed) for m in members(unit, groups)]
        values.append(statistic(np.array(drawn, dtype=np.int64)))
    return values


def permuted(
    pair: NDArray[Any], replicate: int, seed: int, groups: Sequence[int] | None = None
) -> NDArray[Any]:
    """What two models have for each example, (2, N, ...), after some units changed places."""
    swapped = pair.copy()
    units = pair.shape[1] if groups is None else len(set(groups))
    for unit, is_swapped in enumerate(swaps(units, replicate, seed)):
        for example in members(unit, groups) if is_swapped else ():
            swapped[0, example], swapped[1, example] = pair[1, example], pair[0, example]
    return swapped


def ranks(scores: Sequence[float]) -> list[float]:
    """Ranks from the lowest score up; those that tie share the mean of theirs."""
    return [
        sum(other < score for other in scores) + (1 + sum(other == score for other in scores)) / 2
        for score in scores
    ]
