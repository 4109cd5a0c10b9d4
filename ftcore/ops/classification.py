"""The op that adds a batch of logits and targets to the statistics of a classifier.

One pass gives the counts and sums that every classification metric is a function of.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from ftcore.errors import DataError
from ftcore.interfaces import Statistics
from ftcore.ops.arguments import check_classes, check_device, check_float, check_weights, weights_of
from ftcore.ops.classification_layout import (
    ClassificationLayout,
    ClassificationState,
    check_rows,
)
from ftcore.ops.classification_rows import score
from ftcore.ops.layout import check_state
from ftcore.ops.library import register
from ftcore.ops.ordered_sum import SERIAL

NAME = "classification_statistics_"
_SCHEMA = (
    "(Tensor(a!) counts, Tensor(b!) sums, Tensor logits, Tensor targets, *, int class_dim=-1, "
    "Tensor? weights=None, int? ignore_index=None, int bins=15, bool confusion=True, "
    "Tensor(c!)? row_labels=None, Tensor(d!)? row_values=None) -> ()"
)


def classification_statistics_(
    state: ClassificationState,
    logits: Tensor,
    targets: Tensor,
    *,
    class_dim: int = -1,
    weights: Tensor | None = None,
    ignore_index: int | None = None,
    rows: tuple[Tensor, Tensor] | None = None,
) -> None:
    """Add a batch to `state`, in place.

    Shapes: logits (*heads, *rows, C), or with the classes at `class_dim`; targets (*rows), shared
    by the heads. `heads` are the leading dimensions of the state's vectors, as a rule none.
    Logits are float16, bfloat16, float32 or float64 of any strides; targets are integers.

    `weights` (*rows) or (*heads, *rows), integers or bool, say how often each row counts: whatever
    it adds is multiplied. A mask leaves rows out, counts of draws make a bootstrap replicate, and
    -1 takes a row away again. A row of weight 0 adds to nothing at all.

    Every row counts in exactly one of these, the first that fits:

    - `ignored`: its target is `ignore_index`;
    - `invalid`: its target is no class, so that nothing is skipped in silence;
    - `non_finite`: one of its logits is infinite or not a number;
    - `n`: it is scored, and adds to all other fields.

    Of a scored row, with p the softmax of its logits z, t its target, and natural logarithms:

    - prediction: the smallest index among the largest logits; confidence: its p;
    - rank of the target, 0 the best: #{c: z_c > z_t} + #{c < t: z_c = z_t};
    - nll: -log p_t; entropy: -sum_c p_c log p_c; brier: sum_c (p_c - [c = t])^2, from 0 to 2
      (Brier 1950, Monthly Weather Review 78);
    - calibration bin: min(floor(confidence * bins), bins - 1) (Guo et al. 2017, arXiv:1706.04599).

    `rows` takes what each row came to: labels (*heads, *rows, 3) in int64 and values
    (*heads, *rows, 4) in float64, in the order of ROW_LABELS and ROW_VALUES, whatever its weight
    but 0. A row that is not scored has prediction and rank -1, and values NaN.

    The order of summation depends on the shapes alone: any number of threads gives the same bytes.
    Counts are those of float64 arithmetic. Sums and values are so too where the logits are float64;
    a native kernel computes narrower logits in float32, which keeps six digits of them.
    Raises DataError where shapes, types or devices do not fit.
    """
    labels, values = rows if rows is not None else (None, None)
    layout = state.layout
    try:
        torch.ops.ftcore.classification_statistics_(
            state.counts,
            state.sums,
            logits,
            targets,
            class_dim=class_dim,
            weights=weights,
            ignore_index=ignore_index,
            bins=layout.bins,
            confusion=layout.confusion,
            row_labels=labels,
            row_values=values,
        )
    except RuntimeError:
        # A native kernel refuses what does not fit, briefly; the words for it are here.
        _Call(
            state.counts,
            state.sums,
            logits,
            targets,
            class_dim,
            weights,
            ignore_index,
            layout.bins,
            layout.confusion,
            labels,
            values,
        ).check()
        raise


def classification_statistics(
    logits: Tensor,
    targets: Tensor,
    *,
    class_dim: int = -1,
    ignore_index: int | None = None,
    bins: int = 15,
) -> Statistics:
    """Return the statistics of logits (*rows, C) and targets (*rows).

    The fields are those of `ClassificationLayout`, as `classification_statistics_` defines them;
    `confusion` (C, C), whose rows are targets, is there for up to 1,024 classes. Rows with logits
    that are not finite are counted in `non_finite` and not scored.
    Raises DataError where shapes or types do not fit, and for a target that is no class, naming
    the first one and its position.
    """
    in_range = -logits.dim() <= class_dim < logits.dim()
    classes = logits.size(class_dim) if in_range else 0  # the op refuses it, in words
    state = ClassificationLayout.of(classes, bins).empty(device=logits.device)
    classification_statistics_(
        state, logits, targets, class_dim=class_dim, ignore_index=ignore_index
    )
    if state.fields["invalid"].item():
        raise DataError(_first_invalid(targets, classes, ignore_index))
    return Statistics(state.fields)


def _first_invalid(targets: Tensor, classes: int, ignore_index: int | None) -> str:
    wrong = (targets < 0) | (targets >= classes)
    if ignore_index is not None:
        wrong &= targets != ignore_index
    positions = wrong.nonzero()
    first = tuple(positions[0].tolist())
    value = int(targets[first])
    place = first[0] if len(first) == 1 else first
    return (
        f"target {value} at position {place} is no class from 0 to {classes - 1} "
        f"({len(positions)} such targets in all); correct it, or pass ignore_index={value} "
        "if it marks what is not to be scored"
    )


@dataclass(frozen=True)
class _Call:
    """The arguments of one call, as the schema names them."""

    counts: Tensor
    sums: Tensor
    logits: Tensor
    targets: Tensor
    class_dim: int = -1
    weights: Tensor | None = None
    ignore_index: int | None = None
    bins: int = 15
    confusion: bool = True
    row_labels: Tensor | None = None
    row_values: Tensor | None = None

    def check(self) -> None:
        """Raise DataError unless the arguments fit each other."""
        logits, heads = self.logits, self.counts.dim() - 1
        check_float("logits", logits)
        check_classes("targets", self.targets)
        dim = self.class_dim % max(logits.dim(), 1)
        if not -logits.dim() <= self.class_dim < logits.dim() or dim < heads:
            raise DataError(
                f"logits of shape {tuple(logits.shape)} have no class dimension {self.class_dim}"
            )
        if logits.size(dim) < 1 or self.bins < 1:
            raise DataError(f"there are {logits.size(dim)} classes and {self.bins} bins: too few")
        rows = logits.shape[heads:dim] + logits.shape[dim + 1 :]
        if self.targets.shape != rows:
            raise DataError(
                f"targets have shape {tuple(self.targets.shape)}, but logits of shape "
                f"{tuple(logits.shape)} with the classes at dimension {dim} need {tuple(rows)}"
            )
        layout = ClassificationLayout(logits.size(dim), self.bins, self.confusion)
        lead = logits.shape[:heads]
        check_state(layout, self.counts, self.sums, lead, logits.device)
        check_rows(self.row_labels, self.row_values, (*lead, *rows), logits.device)
        check_device("targets", self.targets, logits.device)
        check_weights(self.weights, tuple(lead), tuple(rows), logits.device)

    def add_(self) -> None:
        """Do what the op does, in plain torch."""
        logits = self.logits.detach().movedim(self.class_dim, -1)
        layout = ClassificationLayout(logits.size(-1), self.bins, self.confusion)
        for head in product(*map(range, self.counts.shape[:-1])):
            state = ClassificationState(layout, self.counts[head], self.sums[head])
            done = []
            weights = weights_of(self.weights, head, self.targets)
            for z, t, w in self._chunks(logits[head], weights):
                rows = score(z, t, w, self.ignore_index)
                rows.add_to_(state)
                if self.row_labels is not None or self.row_values is not None:
                    done.append(rows)
            if self.row_labels is not None:
                labels = torch.cat([rows.labels for rows in done])
                self.row_labels[head].copy_(labels.view(self.row_labels[head].shape))
            if self.row_values is not None:
                values = torch.cat([rows.values for rows in done])
                self.row_values[head].copy_(values.view(self.row_values[head].shape))

    def _chunks(self, logits: Tensor, weights: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        # Logits (r, C), targets (r,) and weights (r,) in order, so few at a time that no reduction
        # is split among threads and the float64 copy stays in cache.
        targets, classes = self.targets, logits.size(-1)
        if logits.dim() == 1:
            logits, targets, weights = (t.unsqueeze(0) for t in (logits, targets, weights))
        limit = max(1, SERIAL // max(classes, self.bins + 3))
        step = max(1, limit // max(1, math.prod(logits.shape[1:-1])))
        parts = (torch.split(given, step) for given in (logits, targets, weights))
        for z, *by_row in zip(*parts, strict=True):
            flat = (torch.split(given.reshape(-1), limit) for given in by_row)
            yield from zip(torch.split(z.reshape(-1, classes), limit), *flat, strict=True)


reference = register(NAME, _SCHEMA, _Call)
