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
    """One step's rows, and what the log-probabilities of its logits are multiplied by."""

    features: Tensor  # (n, D)
    coefficients: Tensor  # (C, n), divided by the batch's divisor
    totals: Tensor  # (n,), their sums over the classes


class LinearStack(Stack[LinearBatch]):
    """K linear heads that see the same batches, stacked on the class axis.

    Logits are held as (K, C, n), classes before rows: the softmax then runs along contiguous
    rows, and neither product needs a transposed copy.
    """

    is_random = False

    def __init__(self, head: nn.Linear, count: int, loss: CrossEntropy) -> None:
        super().__init__(dict(head.named_parameters()), {}, count)
        self.loss = loss
        self.classes = head.out_features

    def batches(self, features: Tensor, targets: Tensor, sizes: Sequence[int]) -> list[LinearBatch]:
        """Cut rows, in the order in which they are seen, into batches of these sizes."""
        # A batch is small, so what can be done for all of them at once is.
        coefficients, weights = self.loss.coefficients(targets, self.classes)
        steps = list(sizes)
        sums = torch.stack([part.sum() for part in weights.split(steps)])
        divisors = sums.repeat_interleave(torch.tensor(steps, device=sums.device))
        coefficients.div_(divisors.unsqueeze(1))
        parts = (features, coefficients, coefficients.sum(1))
        return [
            LinearBatch(rows, scaled.t().contiguous(), totals)
            for rows, scaled, totals in zip(*(part.split(steps) for part in parts), strict=True)
        ]

    def backward(self, batch: LinearBatch, gradients: Sequence[Tensor], losses: Tensor) -> None:
        """Write the gradients (K, ...) of one batch, and its losses (K,)."""
        logits = self._logits(batch.features)  # (K, C, n)
        log_p = logits.log_softmax(1)
        torch.mv(log_p.view(len(logits), -1), batch.coefficients.view(-1), out=losses)
        losses.neg_()
        # d loss / d logits = p * (sum of the coefficients) - coefficients
        errors = log_p.exp_().mul_(batch.totals).sub_(batch.coefficients).flatten(0, 1)
        torch.mm(errors, batch.features, out=gradients[0].view(-1, batch.features.size(1)))
        if len(gradients) > 1:
            torch.sum(errors, 1, out=gradients[1].view(-1))

    def evaluate(self, batch: LinearBatch) -> tuple[Tensor, Tensor]:
        """Return the logits (K, n, C) and the losses (K,)."""
        logits = self._logits(batch.features)
        losses = logits.log_softmax(1).view(len(logits), -1) @ batch.coefficients.view(-1)
        return logits.transpose(1, 2), -losses

    def _logits(self, features: Tensor) -> Tensor:
        weight = self.parameters[0]
        flat = weight.view(-1, weight.size(2))
        if len(self.parameters) > 1:
            logits = torch.addmm(self.parameters[1].view(-1, 1), flat, features.t())
        else:
            logits = flat @ features.t()
        return logits.view(len(weight), self.classes, len(features))
