"""Linear heads under cross-entropy: the gradient in closed form, all heads in one product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ftcore.engine.heads.stack import Stack
from ftcore.ops.cross_entropy import CrossEntropy


@dataclass(frozen=True)
class LinearBatch:
    """One step's rows, and what their log-probabilities are multiplied by to give the loss."""

    features: Tensor  # (n, D)
    coefficients: Tensor  # (C, n), the negative targets over what divides the batch's sum
    totals: Tensor  # (n,), the targets' sums over the classes, divided likewise


class LinearStack(Stack[LinearBatch]):
    """K linear heads that see the same batches, stacked on the class axis.

    Logits are held as (K, C, n), classes before rows: the softmax then runs along contiguous
    rows, and neither product needs a transposed copy.
    """

    is_random = False

    def __init__(self, head: nn.Linear, count: int, loss: CrossEntropy) -> None:
        self.loss = loss
        self.classes, self.depth = head.out_features, head.in_features
        super().__init__(dict(head.named_parameters()), {}, count)
        self._arrange()

    def keep(self, indices: Sequence[int]) -> None:
        """Go on with the heads at these indices alone."""
        super().keep(indices)
        self._arrange()

    def batches(self, features: Tensor, targets: Tensor, sizes: Sequence[int]) -> list[LinearBatch]:
        """Cut rows, in the order in which they are seen, into batches of these sizes."""
        # A batch is small, so what can be done for all of them at once is.
        steps = list(sizes)
        coefficients, weights = self.loss.coefficients(targets, self.classes)
        divisors = self._sums(weights, steps).repeat_interleave(
            torch.tensor(steps, device=weights.device), output_size=len(targets)
        )
        coefficients.div_(-divisors.unsqueeze(1))
        parts = (features, coefficients, -coefficients.sum(1))
        return [
            LinearBatch(rows, scaled.t().contiguous(), totals)
            for rows, scaled, totals in zip(
                *(part.split_with_sizes(steps) for part in parts), strict=True
            )
        ]

    def _sums(self, weights: Tensor, steps: list[int]) -> Tensor:
        if self.loss.weights is None:  # each is 1
            return torch.tensor(steps, dtype=weights.dtype, device=weights.device)
        return torch.stack([part.sum() for part in weights.split_with_sizes(steps)])

    def backward(self, batch: LinearBatch, losses: Tensor) -> None:
        """Write `gradients` of one batch, and its losses (K,)."""
        log_p = self._logits(batch.features).log_softmax(1)  # (K, C, n)
        torch.mv(log_p.view(self.count, -1), batch.coefficients.view(-1), out=losses)
        # d loss / d logits = p * (sum of the targets) - targets
        errors = torch.addcmul(batch.coefficients, log_p.exp_(), batch.totals).flatten(0, 1)
        torch.mm(errors, batch.features, out=self._weight_gradient)
        for gradient in self.gradients[1:]:  # the bias, where there is one
            torch.sum(errors, 1, out=gradient.view(-1))

    def evaluate(self, batch: LinearBatch) -> tuple[Tensor, Tensor]:
        """Return the logits (K, n, C) and the losses (K,)."""
        logits = self._logits(batch.features)
        log_p = logits.log_softmax(1).view(self.count, -1)
        return logits.transpose(1, 2), log_p @ batch.coefficients.view(-1)

    def _logits(self, features: Tensor) -> Tensor:
        if self._bias is None:
            logits = self._weight @ features.t()
        else:
            logits = torch.addmm(self._bias, self._weight, features.t())
        return logits.view(self.count, self.classes, len(features))

    def _arrange(self) -> None:
        # The shapes that the products want, as views: made once, since a step is microseconds.
        self._weight = self.parameters[0].view(-1, self.depth)
        self._weight_gradient = self.gradients[0].view(-1, self.depth)
        bias = self.parameters[1:]
        self._bias = bias[0].view(-1, 1) if bias else None
