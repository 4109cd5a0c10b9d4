"""McNemar's test, computed exactly, and Holm's correction of five of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.stats import binom

from benchmarks.coverage.tally import LEVEL
from ftcore.significance.paired import exact_p, holm, mcnemar

PART = "tests"
OTHERS = 5


def rows(simulations: int) -> Iterator[dict[str, Any]]:
    for n, share in ((200, 0.04), (200, 0.1), (200, 0.3), (1000, 0.1), (10_000, 0.1)):
        yield from _mcnemar(n, share)
    for n, share in ((500, 0.15), (5000, 0.15)):
        yield from _holm(n, share, simulations)


def _mcnemar(n: int, share: float) -> Iterator[dict[str, Any]]:
    """Sum up the chance of rejecting over how many units the two disagree on, and whose way."""
    rejected = {"McNemar mid-p": 0.0, "exact McNemar": 0.0}
    totals = np.arange(n + 1)
    chances = binom.pmf(totals, n, share)
    for total in totals[chances > 1e-9]:
        # p falls with the smaller count's distance from the half: find where it crosses 5 %.
        least = np.arange(total // 2 + 1)
        for name in rejected:
            crossed = _largest_rejected(name, int(total), least)
            tail = 2 * binom.cdf(crossed, total, 0.5) if crossed >= 0 else 0.0
            rejected[name] += float(chances[total] * tail)
    for name, share_rejected in rejected.items():
        yield {
            "part": PART,
            "what": name,
            "setting": f"n = {n:,}, disagreement on {share:.0%}",
            "simulations": None,
            "rejected": share_rejected,
        }


def _largest_rejected(name: str, total: int, least: np.ndarray[Any, np.dtype[np.int64]]) -> int:
    low, high = -1, len(least) - 1  # p of `low` is at most 5 %, that of `high` is above
    while high - low > 1:
        middle = (low + high) // 2
        pair = middle, total - middle
        p = exact_p(*pair) if name == "exact McNemar" else mcnemar(*pair).p
        low, high = (middle, high) if p <= LEVEL else (low, middle)
    return low


def _holm(n: int, share: float, simulations: int) -> Iterator[dict[str, Any]]:
    """Compare five classifiers with a first one, all equally good: is any said to differ?"""
    generator, any_raw, any_adjusted = np.random.default_rng(n), 0, 0
    for _ in range(simulations):
        difficulty = generator.random(n)
        # Each is wrong on an eighth of the easy examples and on half of the hard ones.
        wrong = np.where(difficulty < share, 0.5, share / 8)
        is_right = generator.random((OTHERS + 1, n)) >= wrong
        raw = [
            mcnemar(int((is_right[0] & ~each).sum()), int((each & ~is_right[0]).sum())).p
            for each in is_right[1:]
        ]
        any_raw += min(raw) <= LEVEL
        any_adjusted += min(holm(raw)) <= LEVEL
    for name, count in (("none", any_raw), ("Holm", any_adjusted)):
        yield {
            "part": PART,
            "what": f"any of {OTHERS} comparisons, correction: {name}",
            "setting": f"n = {n:,}",
            "simulations": simulations,
            "rejected": count / simulations,
        }
