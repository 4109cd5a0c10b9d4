"""What the state of `classification_statistics_` holds, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from ftcore.ops.arguments import check_output
from ftcore.ops.layout import Fields, Layout, State

ROW_LABELS = ("target", "prediction", "rank")
ROW_VALUES = ("confidence", "nll", "brier", "entropy")

_LARGEST_CONFUSION = 1024  # its matrix takes 8 MiB


@dataclass(frozen=True)
class ClassificationLayout(Layout):
    """Names the parts of the two state vectors: counts in int64, then sums in float64.

    Shapes, for C classes and B bins, in the order in which they lie:

    counts
        `n`, `ignored`, `non_finite`, `invalid` (), `rank` (C,), `support` (C,), `predicted` (C,),
        `correct` (C,), `bin_count` (B,), `bin_correct` (B,), and `confusion` (C, C) if kept.
    sums
        `nll`, `brier`, `entropy` (), `bin_confidence` (B,).

    The per-class counts are the margins and the diagonal of the confusion matrix: `support` by
    target, `predicted` by prediction, `correct` where both agree.
    """

    classes: int
    bins: int = 15
    confusion: bool = True

    @classmethod
    def of(cls, classes: int, bins: int = 15) -> ClassificationLayout:
        """Return the usual layout: with the confusion matrix for up to 1,024 classes."""
        return cls(classes, bins, confusion=classes <= _LARGEST_CONFUSION)

    @property
    def count_fields(self) -> Fields:
        """The shape of each int64 field, in order."""
        scalars: Fields = dict.fromkeys(("n", "ignored", "non_finite", "invalid"), ())
        by_class = dict.fromkeys(("rank", "support", "predicted", "correct"), (self.classes,))
        by_bin = dict.fromkeys(("bin_count", "bin_correct"), (self.bins,))
        square = {"confusion": (self.classes, self.classes)} if self.confusion else {}
        return {**scalars, **by_class, **by_bin, **square}

    @property
    def sum_fields(self) -> Fields:
        """The shape of each float64 field, in order."""
        return {"nll": (), "brier": (), "entropy": (), "bin_confidence": (self.bins,)}


ClassificationState: TypeAlias = State[ClassificationLayout]


def check_rows(
    labels: Tensor | None, values: Tensor | None, places: tuple[int, ...], device: torch.device
) -> None:
    """Raise DataError unless these take what rows come to, at (*heads, *rows) places."""
    if labels is not None:
        check_output("row_labels", labels, (*places, len(ROW_LABELS)), torch.int64, device)
    if values is not None:
        check_output("row_values", values, (*places, len(ROW_VALUES)), torch.float64, device)
