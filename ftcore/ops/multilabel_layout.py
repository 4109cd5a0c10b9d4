"""What the state of `multilabel_statistics_` holds, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ftcore.ops.layout import Fields, Layout, State
from ftcore.ops.logit_bins import LOGIT_BINS

_BY_LABEL = (
    "ignored",
    "invalid",
    "non_finite",
    "true_positive",
    "false_positive",
    "false_negative",
    "true_negative",
)


@dataclass(frozen=True)
class MultilabelLayout(Layout):
    """Names the parts of the two state vectors: counts in int64, then sums in float64.

    Shapes, for L labels and B = LOGIT_BINS, in the order in which they lie:

    counts
        `rows`, `exact` (), `ignored`, `invalid`, `non_finite`, `true_positive`, `false_positive`,
        `false_negative`, `true_negative` (L,), `positives`, `negatives` (L, B).
    sums
        `nll`, `brier` (L,).

    The histograms take 16 KiB a label.
    """

    labels: int

    @property
    def count_fields(self) -> Fields:
        """The shape of each int64 field, in order."""
        return {
            **dict.fromkeys(("rows", "exact"), ()),
            **dict.fromkeys(_BY_LABEL, (self.labels,)),
            **dict.fromkeys(("positives", "negatives"), (self.labels, LOGIT_BINS)),
        }

    @property
    def sum_fields(self) -> Fields:
        """The shape of each float64 field, in order."""
        return dict.fromkeys(("nll", "brier"), (self.labels,))


MultilabelState: TypeAlias = State[MultilabelLayout]
