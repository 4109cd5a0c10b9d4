"""What is counted, and the numbers that are pure functions of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


@dataclass
class Statistics:
    """Additive state from which metrics are computed: counts in int64, sums in float64.

    `fields` have a size that does not depend on the number of examples; `a + b` merges them.
    `rows` holds one small row a resampling unit, in the order of evaluation, when asked for.
    A field reads as an attribute: `statistics.confusion`.
    """

    fields: dict[str, Tensor]
    rows: dict[str, Tensor] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Tensor:
        try:
            return self.__dict__["fields"][name]  # type: ignore[no-any-return]
        except KeyError:
            known = ", ".join(self.__dict__.get("fields", ())) or "none"
            message = f"these statistics have no field {name!r}; they have: {known}"
            raise AttributeError(message) from None

    def __add__(self, other: Statistics) -> Statistics:
        if self.fields.keys() != other.fields.keys() or self.rows.keys() != other.rows.keys():
            mine, theirs = sorted(self.fields | self.rows), sorted(other.fields | other.rows)
            raise ValueError(f"statistics with different fields cannot be added: {mine}, {theirs}")
        from torch import cat

        return Statistics(
            {name: value + other.fields[name] for name, value in self.fields.items()},
            {name: cat([value, other.rows[name]]) for name, value in self.rows.items()},
        )


@runtime_checkable
class Metric(Protocol):
    """A pure function from statistics to a number.

    `compute` maps fields with any leading dimensions (*, ...) to values (*): that is how a
    thousand bootstrap replicates are computed in one call. NaN means undefined.
    """

    @property
    def name(self) -> str:
        """The key under which a record shows it."""

    @property
    def needs(self) -> Collection[str]:
        """The fields of the statistics, or the rows, that `compute` reads."""

    @property
    def higher_is_better(self) -> bool:
        """Which way is up."""

    def compute(self, statistics: Statistics) -> Tensor | float:
        """Return the value, one for each leading index of the fields."""


@runtime_checkable
class Proportion(Metric, Protocol):
    """A metric that is a plain proportion, such as accuracy: so many successes in so many trials.

    Where the trials are the resampling units themselves the number of successes is binomial, and
    the interval is Wilson's, which stays honest at 0 and 1, where a bootstrap shrinks to a point.
    """

    def trials(self, statistics: Statistics) -> tuple[int, int]:
        """Return the successes and the trials."""


@runtime_checkable
class RowProportion(Proportion, Protocol):
    """A proportion whose trials are the rows of the statistics, so that two can be paired."""

    def successes(self, rows: Mapping[str, Tensor]) -> Tensor:
        """Return for each row whether it is a success, bool (N,); False for one not scored."""


@runtime_checkable
class ResampledMetric(Metric, Protocol):
    """A metric that makes its bootstrap replicates itself, faster than `compute` would.

    For metrics of rows, such as AUROC, which would need a weight for each unit of each replicate.
    """

    def bootstrap(self, statistics: Statistics, count: int, seed: int) -> NDArray[np.float64]:
        """Return the values (count,) of statistics whose units were drawn with replacement.

        They equal those of `compute` with rows["weight"] = `ftcore.resampling.draws(units, count,
        seed)`, where all units were scored: models that get the same seed are paired.
        """
