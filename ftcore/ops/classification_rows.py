"""What single rows of logits come to: the mathematics of the reference, in float64."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ftcore.ops.classification_layout import ClassificationState
from ftcore.ops.ordered_sum import ordered_sum

_OUTCOMES = ("n", "ignored", "invalid", "non_finite")
_SCORED, _IGNORED, _INVALID, _NON_FINITE, _LEFT_OUT = range(5)


@dataclass(frozen=True)
class Rows:
    """What r rows came to, each tensor (r,); a row not scored holds zeros."""

    outcome: Tensor  # index into _OUTCOMES, or _LEFT_OUT
    weight: Tensor  # how often the row counts
    given: Tensor  # the target as it came
    target: Tensor
    prediction: Tensor
    rank: Tensor
    confidence: Tensor
    nll: Tensor
    brier: Tensor
    entropy: Tensor

    @property
    def labels(self) -> Tensor:
        """(r, 3), as ROW_LABELS says."""
        scored = self.outcome == _SCORED
        columns = (self.given, self.prediction.where(scored, -1), self.rank.where(scored, -1))
        return torch.stack(columns, dim=-1)

    @property
    def values(self) -> Tensor:
        """(r, 4), as ROW_VALUES says."""
        columns = torch.stack([self.confidence, self.nll, self.brier, self.entropy], dim=-1)
        return columns.where((self.outcome == _SCORED).unsqueeze(-1), math.nan)

    def add_to_(self, state: ClassificationState) -> None:
        """Add these rows to the state, without a host sync."""
        layout, fields = state.layout, state.fields
        for index, name in enumerate(_OUTCOMES):
            fields[name] += self.weight.where(self.outcome == index, 0).sum()
        scored = self.weight.where(self.outcome == _SCORED, 0)
        correct = scored * (self.prediction == self.target)
        places = (self.confidence * layout.bins).long().clamp_max(layout.bins - 1)
        for name, index_, amount in (
            ("rank", self.rank, scored),
            ("support", self.target, scored),
            ("predicted", self.prediction, scored),
            ("correct", self.target, correct),
            ("bin_count", places, scored),
            ("bin_correct", places, correct),
        ):
            fields[name].index_add_(0, index_, amount)
        if layout.confusion:
            cell = self.target * layout.classes + self.prediction
            fields["confusion"].view(-1).index_add_(0, cell, scored)
        bins = torch.arange(layout.bins, device=places.device).unsqueeze(-1)
        by_bin = self.confidence.where(places == bins, 0.0)  # (bins, r)
        values = torch.cat([torch.stack([self.nll, self.brier, self.entropy]), by_bin])
        state.sums.add_(ordered_sum(values * self.weight))


def score(logits: Tensor, targets: Tensor, weight: Tensor, ignore_index: int | None) -> Rows:
    """Return what rows of logits (r, C), targets (r,) and weights (r,) come to."""
    z, given = logits.double(), targets.long()
    classes = z.size(-1)
    # amin and amax pass a NaN on, so two numbers tell whether a whole row is finite.
    finite = z.amin(-1).isfinite() & z.amax(-1).isfinite()
    outcome = torch.full_like(given, _SCORED).where(finite, _NON_FINITE)
    outcome = outcome.where((given >= 0) & (given < classes), _INVALID)
    if ignore_index is not None:
        outcome = outcome.where(given != ignore_index, _IGNORED)
    outcome = outcome.where(weight != 0, _LEFT_OUT)
    scored = outcome == _SCORED
    target = given.where(scored, 0)
    z = z.where(scored.unsqueeze(-1), 0.0)  # (r, C)

    prediction = z.argmax(-1)  # the first of equal ones, as torch documents
    z_target = z.gather(-1, target.unsqueeze(-1))  # (r, 1)
    before = torch.arange(classes, device=z.device) < target.unsqueeze(-1)
    rank = ((z > z_target) | ((z == z_target) & before)).sum(-1)

    z = z - z.gather(-1, prediction.unsqueeze(-1))
    p = z.exp()
    total = ordered_sum(p)
    p = p / total.unsqueeze(-1)
    log_total = total.log()
    nll = log_total - z.gather(-1, target.unsqueeze(-1)).squeeze(-1)
    # A logit that overflowed to -inf on subtraction has p = 0 and adds nothing, rather than NaN.
    entropy = log_total - ordered_sum((p * z).where(p > 0, 0.0))
    confidence = total.reciprocal()
    one = torch.ones((), dtype=p.dtype, device=p.device)
    error = p.scatter_add(-1, target.unsqueeze(-1), -one.expand(len(p), 1))
    brier = ordered_sum(error.square())
    values = [value.where(scored, 0.0) for value in (confidence, nll, brier, entropy)]
    return Rows(outcome, weight, given, target, prediction, rank, *values)
