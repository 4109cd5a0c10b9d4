"""Cross-entropy as an object: what a loss is made of can be read, so that heads can share it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, eq=False)
class CrossEntropy:
    """The loss of logits (N, C) and class indices (N,), as in `torch.nn.CrossEntropyLoss`.

    A linear head under this loss has a gradient in closed form, softmax minus targets, which
    `ftcore.engine.heads` uses; any other callable is a loss as well, and is differentiated.
    """

    weights: Tensor | None = None  # (C,), how much an example of each class counts
    label_smoothing: float = 0.0

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean; where classes are weighted, the weighted mean."""
        return functional.cross_entropy(
            outputs,
            targets,
            weight=None if self.weights is None else self.weights.to(outputs),
            label_smoothing=self.label_smoothing,
        )

    def coefficients(self, targets: Tensor, classes: int) -> tuple[Tensor, Tensor]:
        """Return what the log-probabilities of rows are multiplied by, (N, C), and weights (N,).

        The loss of a batch is -(coefficients * log p).sum() / weights.sum().
        """
        hot = functional.one_hot(targets, classes).float()
        if self.label_smoothing:
            hot.mul_(1 - self.label_smoothing).add_(self.label_smoothing / classes)
        if self.weights is None:
            return hot, torch.ones(len(targets), device=targets.device)
        weights = self.weights.to(hot)
        return hot.mul_(weights), weights[targets]
