"""Counts of what intervals held and tests rejected, as rows of the results."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.05


def percentiles(drawn: NDArray[np.float64]) -> tuple[float, float]:
    """Return the plain percentile interval of replicates, to hold others against."""
    low, high = np.nanquantile(drawn, [LEVEL / 2, 1 - LEVEL / 2]).tolist()
    return low, high


class Coverage:
    """How often intervals hold what they should, and how often there is none."""

    def __init__(self) -> None:
        self._held: dict[Hashable, list[float]] = {}

    def add(self, key: Hashable, low: float | None, high: float | None, truth: float) -> None:
        """Count one interval; None or NaN is none."""
        held = self._held.setdefault(key, [0, 0, 0, 0, 0.0])
        if low is None or high is None or math.isnan(low) or math.isnan(high):
            held[3] += 1
            return
        held[0] += low <= truth <= high
        held[1] += truth < low
        held[2] += truth > high
        held[4] += high - low

    def rows(self, part: str, setting: str) -> list[dict[str, Any]]:
        """Return a row for each key: shares of the intervals that there were."""
        made = []
        for key, (held, below, above, without, width) in self._held.items():
            count = max(1.0, held + below + above)
            made.append(
                {
                    "part": part,
                    "what": str(key),
                    "setting": setting,
                    "simulations": int(held + below + above + without),
                    "held": held / count,
                    "truth_below": below / count,
                    "truth_above": above / count,
                    "without": int(without),
                    "mean_width": width / count,
                }
            )
        return made


class Rejections:
    """How often tests reject, at 5 %, what is true."""

    def __init__(self) -> None:
        self._found: dict[Hashable, list[int]] = {}

    def add(self, key: Hashable, p: float) -> None:
        """Count one test; a p of NaN does not reject."""
        found = self._found.setdefault(key, [0, 0])
        found[0] += p <= LEVEL
        found[1] += 1

    def rows(self, part: str, setting: str) -> list[dict[str, Any]]:
        """Return a row for each key."""
        return [
            {
                "part": part,
                "what": str(key),
                "setting": setting,
                "simulations": count,
                "rejected": rejected / count,
            }
            for key, (rejected, count) in self._found.items()
        ]
