"""What the state of `regression_statistics_` holds, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ftcore.ops.layout import Fields, Layout, State

_COUNTS = ("n", "non_finite", "invalid")
_SUMS = (
    "absolute",
    "squared",
    "error",
    "output",
    "target",
    "output_squared",
    "target_squared",
    "product",
)


@dataclass(frozen=True)
class RegressionLayout(Layout):
    """Names the parts of the two state vectors: counts in int64, then sums in float64.

    Shapes, for K columns, in the order in which they lie:

    counts
        `n`, `non_finite`, `invalid` (K,).
    sums
        `absolute`, `squared`, `error`, `output`, `target`, `output_squared`, `target_squared`,
        `product` (K,).

    States add only if their `center` is the same, which is why it belongs to the layout.
    """

    columns: int = 1
    center: float = 0.0

    @property
    def count_fields(self) -> Fields:
        """The shape of each int64 field, in order."""
        return dict.fromkeys(_COUNTS, (self.columns,))

    @property
    def sum_fields(self) -> Fields:
        """The shape of each float64 field, in order."""
        return dict.fromkeys(_SUMS, (self.columns,))


RegressionState: TypeAlias = State[RegressionLayout]
