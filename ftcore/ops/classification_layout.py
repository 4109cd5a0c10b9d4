"""What the state of `classification_statistics_` holds, and where."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ftcore.ops.arguments import check_output

ROW_LABELS = ("target", "prediction", "rank")
ROW_VALUES = ("confidence", "nll", "brier", "entropy")

_LARGEST_CONFUSION = 1024  # its matrix takes 8 MiB


@dataclass(frozen=True)
class ClassificationLayout:
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
    def count_fields(self) -> dict[str, tuple[int, ...]]:
        """The shape of each int64 field, in order."""
        scalars: dict[str, tuple[int, ...]] = dict.fromkeys(
            ("n", "ignored", "non_finite", "invalid"), ()
        )
        by_class = dict.fromkeys(("rank", "support", "predicted", "correct"), (self.classes,))
        by_bin = dict.fromkeys(("bin_count", "bin_correct"), (self.bins,))
        square = {"confusion": (self.classes, self.classes)} if self.confusion else {}
        return {**scalars, **by_class, **by_bin, **square}

    @property
    def sum_fields(self) -> dict[str, tuple[int, ...]]:
        """The shape of each float64 field, in order."""
        return {"nll": (), "brier": (), "entropy": (), "bin_confidence": (self.bins,)}

    @property
    def sizes(self) -> tuple[int, int]:
        """The lengths of the vector of counts and of the vector of sums."""
        return _size(self.count_fields), _size(self.sum_fields)

    def empty(
        self, heads: tuple[int, ...] = (), device: torch.device | str | None = None
    ) -> ClassificationState:
        """Return a state of zeros, with leading dimensions `heads` for many heads at once."""
        counts, sums = self.sizes
        return ClassificationState(
            self,
            torch.zeros((*heads, counts), dtype=torch.int64, device=device),
            torch.zeros((*heads, sums), dtype=torch.float64, device=device),
        )


@dataclass(frozen=True)
class ClassificationState:
    """The state itself: counts (*heads, …) in int64 and sums (*heads, …) in float64."""

    layout: ClassificationLayout
    counts: Tensor
    sums: Tensor

    @cached_property
    def fields(self) -> dict[str, Tensor]:
        """Every field by name, (*heads, *shape): views, which follow later updates."""
        return {
            **_views(self.counts, self.layout.count_fields),
            **_views(self.sums, self.layout.sum_fields),
        }

    def to(self, device: torch.device) -> ClassificationState:
        """Return the same state on `device`."""
        return ClassificationState(self.layout, self.counts.to(device), self.sums.to(device))


def check_state(
    layout: ClassificationLayout,
    counts: Tensor,
    sums: Tensor,
    heads: tuple[int, ...],
    device: torch.device,
) -> None:
    """Raise DataError unless these are the vectors of such a layout, for these heads."""
    check_output("counts", counts, (*heads, layout.sizes[0]), torch.int64, device)
    check_output("sums", sums, (*heads, layout.sizes[1]), torch.float64, device)


def check_rows(
    labels: Tensor | None, values: Tensor | None, places: tuple[int, ...], device: torch.device
) -> None:
    """Raise DataError unless these take what rows come to, at (*heads, *rows) places."""
    if labels is not None:
        check_output("row_labels", labels, (*places, len(ROW_LABELS)), torch.int64, device)
    if values is not None:
        check_output("row_values", values, (*places, len(ROW_VALUES)), torch.float64, device)


def _size(fields: dict[str, tuple[int, ...]]) -> int:
    return sum(math.prod(shape) for shape in fields.values())


def _views(vector: Tensor, fields: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    parts = torch.split(vector, [math.prod(shape) for shape in fields.values()], dim=-1)
    return {
        name: part.view(part.shape[:-1] + shape)
        for part, (name, shape) in zip(parts, fields.items(), strict=True)
    }
