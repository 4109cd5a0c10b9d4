"""Statistics of a classifier that batches are added to, one row kept for each example."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ftcore import Statistics, ops


class ClassificationStatistics(Statistics):
    """Fields and rows are views of the state, renewed by `add_`; they follow the logits' device.

    Rows lie in buffers that double when full, so that N examples cost O(N) however they come.
    """

    def __init__(self, layout: ops.ClassificationLayout, with_scores: bool = False) -> None:
        self._state = layout.empty()
        self._size = 0
        self._labels = torch.empty((0, len(ops.ROW_LABELS)), dtype=torch.int64)
        self._values = torch.empty((0, len(ops.ROW_VALUES)), dtype=torch.float64)
        columns = 1 if layout.classes == 2 else layout.classes
        self._scores = torch.empty((0, columns), dtype=torch.float64) if with_scores else None
        super().__init__(self._state.fields, self._exposed())

    def add_(self, logits: Tensor, targets: Tensor) -> None:
        """Add logits (N, C) and targets (N,)."""
        self._follow(logits.device)
        start, stop = self._size, self._size + len(targets)
        self._labels = _reserve(self._labels, stop)
        self._values = _reserve(self._values, stop)
        labels, values = self._labels[start:stop], self._values[start:stop]
        ops.classification_statistics_(self._state, logits, targets, rows=(labels, values))
        if self._scores is not None:
            self._scores = _reserve(self._scores, stop)
            is_scored = labels[:, ops.ROW_LABELS.index("prediction")] >= 0
            scores = log_odds(logits).where(is_scored.unsqueeze(-1), math.nan)
            self._scores[start:stop] = scores
        self._size = stop
        self.rows = self._exposed()

    def _follow(self, device: torch.device) -> None:
        if self._state.counts.device == device:
            return
        self._state = self._state.to(device)
        self._labels, self._values = self._labels.to(device), self._values.to(device)
        self._scores = None if self._scores is None else self._scores.to(device)
        self.fields = self._state.fields

    def _exposed(self) -> dict[str, Tensor]:
        rows = dict(zip(ops.ROW_LABELS, self._labels[: self._size].unbind(-1), strict=True))
        rows |= zip(ops.ROW_VALUES, self._values[: self._size].unbind(-1), strict=True)
        if self._scores is not None:
            rows["scores"] = self._scores[: self._size]
        return rows


class StackedStatistics(Statistics):
    """Fields (heads, ...) of many classifiers of the same examples; they keep no rows."""

    def __init__(self, layout: ops.ClassificationLayout, heads: int) -> None:
        self._state = layout.empty((heads,))
        super().__init__(self._state.fields)

    def add_(self, logits: Tensor, targets: Tensor) -> None:
        """Add logits (heads, N, C) and targets (N,)."""
        if self._state.counts.device != logits.device:
            self._state = self._state.to(logits.device)
            self.fields = self._state.fields
        ops.classification_statistics_(self._state, logits, targets)


def log_odds(logits: Tensor) -> Tensor:
    """Return log p - log(1 - p) of the softmax of logits (N, C) in float64.

    Shape (N, 1) for two classes, those of the second one; (N, C) for more. Unlike p itself it
    does not round to 1 for confident examples, which would tie them.
    """
    z = logits.detach().double()
    if z.size(-1) == 2:
        return z[:, 1:] - z[:, :1]
    log_p = z.log_softmax(dim=-1)
    odds = log_p - torch.log1p(-log_p.exp())
    best = z.argmax(dim=-1, keepdim=True)
    # Where p is near 1, 1 - p has no digits left: sum up the other classes instead.
    others = z.scatter(-1, best, -math.inf).logsumexp(dim=-1, keepdim=True)
    return odds.scatter(-1, best, z.gather(-1, best) - others)


def _reserve(buffer: Tensor, size: int) -> Tensor:
    if size <= len(buffer):
        return buffer
    larger = buffer.new_empty((max(size, 2 * len(buffer)), *buffer.shape[1:]))
    larger[: len(buffer)] = buffer
    return larger
