"""What a metric of additive fields is made of: a name, what it needs, and a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ftcore import Statistics
from ftcore.default_plugins.classification_metrics.by_class import divide


@dataclass(frozen=True)
class FunctionMetric:
    """A metric that is a function of statistics with any leading dimensions."""

    name: str
    needs: tuple[str, ...]
    function: Callable[[Statistics], Tensor]
    higher_is_better: bool = True

    def compute(self, statistics: Statistics) -> Tensor:
        """Return the value, (*)."""
        return self.function(statistics)


@dataclass(frozen=True)
class RankingMetric:
    """A metric over all thresholds of a score, which makes its bootstrap replicates itself."""

    name: str
    function: Callable[[Statistics], Tensor]
    resampled: Callable[[Statistics, int, int], NDArray[np.float64]]
    needs: tuple[str, ...] = ("scores", "target")
    higher_is_better: bool = True

    def compute(self, statistics: Statistics) -> Tensor:
        """Return the value, (*)."""
        return self.function(statistics)

    def bootstrap(self, statistics: Statistics, count: int, seed: int) -> NDArray[np.float64]:
        """Return the values (count,) of drawn examples."""
        return self.resampled(statistics, count, seed)


@dataclass(frozen=True)
class ProportionMetric:
    """The share of scored examples that are a success, such as accuracy."""

    name: str
    needs: tuple[str, ...]  # n among them
    count: Callable[[Statistics], Tensor]  # the successes among all, (*)
    of_rows: Callable[[Mapping[str, Tensor]], Tensor]  # whether each example is one, (N,)
    higher_is_better: bool = True

    def compute(self, statistics: Statistics) -> Tensor:
        """Return successes / n, (*); NaN where no example was scored."""
        return divide(self.count(statistics), statistics.fields["n"])

    def trials(self, statistics: Statistics) -> tuple[int, int]:
        """Return the successes and n."""
        return int(self.count(statistics)), int(statistics.fields["n"])

    def successes(self, rows: Mapping[str, Tensor]) -> Tensor:
        """Return for each example whether it is a success, (N,)."""
        return self.of_rows(rows) & (rows["prediction"] >= 0)
