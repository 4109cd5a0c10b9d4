"""The op that adds a batch of logits and targets to the statistics of many binary labels.

One pass gives the counts and sums that the metrics of a multi-label classifier are functions of,
those of ranking included.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from ftcore.ops.arguments import (
    check_binary,
    check_columns,
    check_float,
    check_weights,
    weights_of,
)
from ftcore.ops.columns import row_chunks
from ftcore.ops.layout import check_state
from ftcore.ops.library import register
from ftcore.ops.logit_bins import LOGIT_BINS, bin_of
from ftcore.ops.multilabel_layout import MultilabelLayout, MultilabelState
from ftcore.ops.ordered_sum import ordered_sum

NAME = "multilabel_statistics_"
_SCHEMA = (
    "(Tensor(a!) counts, Tensor(b!) sums, Tensor logits, Tensor targets, *, "
    "Tensor? weights=None, int? ignore_index=None) -> ()"
)


def multilabel_statistics_(
    state: MultilabelState,
    logits: Tensor,
    targets: Tensor,
    *,
    weights: Tensor | None = None,
    ignore_index: int | None = None,
) -> None:
    """Add a batch to `state`, in place.

    Shapes: logits (*heads, *rows, L), targets (*rows, L), shared by the heads. `heads` are the
    leading dimensions of the state's vectors, as a rule none. Logits are float16, bfloat16, float32
    or float64 of any strides; targets are bool, or integers that are 0, 1 or `ignore_index`.

    `weights` (*rows) or (*heads, *rows), integers or bool, say how often each row counts: whatever
    it adds is multiplied. A row of weight 0 adds to nothing at all.

    Each label of a row counts in exactly one of these, the first that fits:

    - `ignored`: its target is `ignore_index`;
    - `invalid`: its target is neither 0 nor 1, so that nothing is skipped in silence;
    - `non_finite`: its logit is infinite or not a number;
    - `true_positive`, `false_positive`, `false_negative`, `true_negative`: it is scored, and
      predicted where its logit is 0 or more, that is, its probability one half or more.

    Of a scored label, with z its logit, y its target and natural logarithms:

    - `nll`: max(z, 0) - z y + log(1 + exp(-|z|)), the binary cross-entropy;
    - `brier`: (1 / (1 + exp(-z)) - y)^2, from 0 to 1 (Brier 1950, Monthly Weather Review 78);
    - `positives` or `negatives`, by its target: the bin of z (`ftcore.ops.logit_bins`), from which
      `ftcore.ops.ranking` computes AUROC and average precision, and says how exactly.

    `rows` counts rows all of whose labels were scored, and `exact` those of them with no label
    wrong, for subset accuracy.

    The order of summation depends on the shapes alone: any number of threads gives the same bytes.
    Counts are the same on every device. Sums are those of float64 arithmetic where the logits are
    float64; a native kernel computes those of narrower logits in float32, which keeps six digits.
    Raises DataError where shapes, types or devices do not fit.
    """
    try:
        torch.ops.ftcore.multilabel_statistics_(
            state.counts, state.sums, logits, targets, weights=weights, ignore_index=ignore_index
        )
    except RuntimeError:
        # A native kernel refuses what does not fit, briefly; the words for it are here.
        _Call(state.counts, state.sums, logits, targets, weights, ignore_index).check()
        raise


@dataclass(frozen=True)
class _Call:
    """The arguments of one call, as the schema names them."""

    counts: Tensor
    sums: Tensor
    logits: Tensor
    targets: Tensor
    weights: Tensor | None = None
    ignore_index: int | None = None

    def check(self) -> None:
        """Raise DataError unless the arguments fit each other."""
        logits, heads = self.logits, self.counts.dim() - 1
        check_float("logits", logits)
        check_binary("targets", self.targets)
        check_columns("logits", logits, self.targets, heads)
        lead, rows = tuple(logits.shape[:heads]), tuple(logits.shape[heads:-1])
        layout = MultilabelLayout(logits.size(-1))
        check_state(layout, self.counts, self.sums, lead, logits.device)
        check_weights(self.weights, lead, rows, logits.device)

    def add_(self) -> None:
        """Do what the op does, in plain torch."""
        layout = MultilabelLayout(self.logits.size(-1))
        rows = self.targets[..., 0]
        for head in product(*map(range, self.counts.shape[:-1])):
            state = MultilabelState(layout, self.counts[head], self.sums[head])
            weights = weights_of(self.weights, head, rows)
            for z, target, weight in row_chunks(self.logits[head], self.targets, weights):
                _score(z, target, self.ignore_index).add_to_(state, weight)


@dataclass(frozen=True)
class _Scored:
    """What r rows of L labels came to, each tensor (r, L)."""

    outcomes: dict[str, Tensor]  # by the name of their count: where they are
    scored: Tensor
    target: Tensor
    is_wrong: Tensor  # nowhere but where scored
    bin: Tensor
    nll: Tensor  # 0 where not scored, as brier is
    brier: Tensor

    def add_to_(self, state: MultilabelState, weights: Tensor) -> None:
        """Add these rows, each as often as `weights` (r,) say, without a host sync."""
        fields, weight = state.fields, weights.unsqueeze(-1)
        for name, mask in self.outcomes.items():
            fields[name] += weight.where(mask, 0).sum(0)
        is_whole = self.scored.all(-1)
        fields["rows"] += weights.where(is_whole, 0).sum()
        fields["exact"] += weights.where(is_whole & ~self.is_wrong.any(-1), 0).sum()
        labels = torch.arange(state.layout.labels, device=self.bin.device)
        cell = (labels * LOGIT_BINS + self.bin).flatten()
        for name, mask in (("positives", self.target), ("negatives", ~self.target)):
            amount = weight.where(self.scored & mask, 0).flatten()
            fields[name].view(-1).index_add_(0, cell, amount)
        values = torch.stack([self.nll, self.brier]) * weight  # (2, r, L)
        state.sums.add_(ordered_sum(values.movedim(-1, -2)).flatten())


def _score(logits: Tensor, targets: Tensor, ignore_index: int | None) -> _Scored:
    given, z = targets.long(), logits.double()
    target = given == 1
    ignored = torch.zeros_like(target) if ignore_index is None else given == ignore_index
    invalid = ~ignored & (given != 0) & ~target
    non_finite = ~ignored & ~invalid & ~z.isfinite()
    scored = ~(ignored | invalid | non_finite)
    predicted, is_wrong = z >= 0, scored & ((z >= 0) != target)
    outcomes = {
        "ignored": ignored,
        "invalid": invalid,
        "non_finite": non_finite,
        "true_positive": scored & predicted & target,
        "false_positive": scored & predicted & ~target,
        "false_negative": scored & ~predicted & target,
        "true_negative": scored & ~predicted & ~target,
    }
    size = z.abs().where(scored, 0.0)
    e = (-size).exp()
    nll = e.log1p() + size.where(is_wrong, 0.0)
    brier = (torch.ones_like(e).where(is_wrong, e) / (1 + e)).square()
    nll, brier = (value.where(scored, 0.0) for value in (nll, brier))
    return _Scored(outcomes, scored, target, is_wrong, bin_of(logits), nll, brier)


reference = register(NAME, _SCHEMA, _Call)
