"""The op that adds a batch of outputs and targets to the statistics of a regression.

One pass gives the sums that the usual metrics of a regression are functions of.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from ftcore.errors import DataError
from ftcore.ops.arguments import (
    check_columns,
    check_float,
    check_numbers,
    check_weights,
    weights_of,
)
from ftcore.ops.columns import row_chunks
from ftcore.ops.layout import check_state
from ftcore.ops.library import register
from ftcore.ops.ordered_sum import ordered_sum
from ftcore.ops.regression_layout import RegressionLayout, RegressionState

NAME = "regression_statistics_"
_SCHEMA = (
    "(Tensor(a!) counts, Tensor(b!) sums, Tensor outputs, Tensor targets, *, "
    "Tensor? weights=None, float center=0.0) -> ()"
)


def regression_statistics_(
    state: RegressionState, outputs: Tensor, targets: Tensor, *, weights: Tensor | None = None
) -> None:
    """Add a batch to `state`, in place.

    Shapes: outputs (*heads, *rows, K), targets (*rows, K), shared by the heads. `heads` are the
    leading dimensions of the state's vectors, as a rule none; a single output has K = 1. Outputs
    are float16, bfloat16, float32 or float64 of any strides; targets are of these, or integers.
    All arithmetic is that of float64, which holds integers up to 2^53 exactly: an int64 target
    beyond them is taken as the nearest float64, up to 512 away from it.

    `weights` (*rows) or (*heads, *rows), integers or bool, say how often each row counts: whatever
    it adds is multiplied. A row of weight 0 adds to nothing at all.

    Each column stands for itself. A value counts in exactly one of these, the first that fits:

    - `invalid`: its target is infinite or not a number;
    - `non_finite`: its output is infinite or not a number;
    - `n`: it is scored, and adds to all sums.

    Of a scored value, with d = output - target, p = output - center and t = target - center:

    - `absolute` |d|, `squared` d^2, `error` d;
    - `output` p, `target` t, `output_squared` p^2, `target_squared` t^2, `product` p t.

    MSE is squared / n, MAE absolute / n, bias error / n. With the variances and the covariance
    var(p) = output_squared / n - (output / n)^2, and so on: R^2 is 1 - MSE / var(t), Pearson's
    correlation cov(p, t) / sqrt(var(p) var(t)), explained variance 1 - (MSE - bias^2) / var(t), and
    the concordance 2 cov(p, t) / (var(p) + var(t) + bias^2) (Lin 1989, Biometrics 45). None of
    them depends on the layout's `center`; one near the mean of the targets keeps the digits that
    the difference of two large squares loses.

    The order of summation depends on the shapes alone: any number of threads gives the same bytes.
    Raises DataError where shapes, types or devices do not fit.
    """
    center = state.layout.center
    try:
        torch.ops.ftcore.regression_statistics_(
            state.counts, state.sums, outputs, targets, weights=weights, center=center
        )
    except RuntimeError:
        # A native kernel refuses what does not fit, briefly; the words for it are here.
        _Call(state.counts, state.sums, outputs, targets, weights, center).check()
        raise


@dataclass(frozen=True)
class _Call:
    """The arguments of one call, as the schema names them."""

    counts: Tensor
    sums: Tensor
    outputs: Tensor
    targets: Tensor
    weights: Tensor | None = None
    center: float = 0.0

    def check(self) -> None:
        """Raise DataError unless the arguments fit each other."""
        outputs, heads = self.outputs, self.counts.dim() - 1
        check_float("outputs", outputs)
        check_numbers("targets", self.targets)
        check_columns("outputs", outputs, self.targets, heads)
        if not math.isfinite(self.center):
            raise DataError(f"center is {self.center}; it must be a number, and finite")
        lead, rows = tuple(outputs.shape[:heads]), tuple(outputs.shape[heads:-1])
        layout = RegressionLayout(outputs.size(-1))
        check_state(layout, self.counts, self.sums, lead, outputs.device)
        check_weights(self.weights, lead, rows, outputs.device)

    def add_(self) -> None:
        """Do what the op does, in plain torch."""
        layout = RegressionLayout(self.outputs.size(-1), self.center)
        rows = self.targets[..., 0]
        for head in product(*map(range, self.counts.shape[:-1])):
            state = RegressionState(layout, self.counts[head], self.sums[head])
            weights = weights_of(self.weights, head, rows)
            for chunk in row_chunks(self.outputs[head], self.targets, weights):
                _add(state, *chunk)


def _add(state: RegressionState, outputs: Tensor, targets: Tensor, weights: Tensor) -> None:
    # Outputs and targets are (r, K), weights (r,). What is not scored becomes 0 everywhere.
    output, target, weight = outputs.double(), targets.double(), weights.unsqueeze(-1)
    is_valid, is_finite = target.isfinite(), output.isfinite()
    fields = state.fields
    for name, mask in (
        ("n", is_valid & is_finite),
        ("non_finite", is_valid & ~is_finite),
        ("invalid", ~is_valid),
    ):
        fields[name] += weight.where(mask, 0).sum(0)
    scored = is_valid & is_finite & (weight != 0)
    center = state.layout.center
    d, p, t = (
        value.where(scored, 0.0) for value in (output - target, output - center, target - center)
    )
    terms = torch.stack([d.abs(), d * d, d, p, t, p * p, t * t, p * t])  # (8, r, K)
    state.sums.add_(ordered_sum((terms * weight).movedim(-1, -2)).flatten())


reference = register(NAME, _SCHEMA, _Call)
