"""AdamW and SGD for stacked parameters, with a learning rate and a weight decay for each head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ftcore.config import RunConfig
from ftcore.engine.heads.plan import Head
from ftcore.engine.heads.stack import Stack, chosen

BETA1, BETA2, EPS = 0.9, 0.999, 1e-8  # torch.optim.AdamW's defaults, which a run uses


class StackedOptimizer:
    """Steps parameters (K, ...) of K heads as torch.optim.AdamW or SGD would step each.

    torch's own fused kernels do it, one call a head, which takes its rate and decay as numbers.
    """

    def __init__(self, stack: Stack[Any], heads: Sequence[Head], config: RunConfig) -> None:
        self._stack = stack
        self._heads = list(heads)
        self._config = config
        # AdamW has two moments of each gradient, SGD one or none.
        moments = 2 if config.optimizer == "adamw" else int(config.momentum > 0)
        self._moments = [[torch.zeros_like(p) for p in stack.parameters] for _ in range(moments)]
        self._count = torch.zeros((), device=stack.parameters[0].device)
        self._is_first = True
        self._split()

    def step(self, factor: float) -> None:
        """Take one step along the gradients, at `factor` times each head's peak rate."""
        if self._config.clip_norm is not None:
            self._clip(self._config.clip_norm)
        self._count.add_(1)
        step = self._step_adamw if self._config.optimizer == "adamw" else self._step_sgd
        for index, head in enumerate(self._heads):
            step(index, head, head.lr * factor)
        self._is_first = False

    def keep(self, indices: Sequence[int]) -> None:
        """Go on with the heads at these indices alone, which the stack has kept before."""
        self._heads = [self._heads[index] for index in indices]
        self._moments = [[chosen(t, indices) for t in tensors] for tensors in self._moments]
        self._split()

    def _split(self) -> None:
        # Views of each head's part of the tensors, made once, since a step is microseconds.
        stacked = (self._stack.parameters, self._stack.gradients, *self._moments)
        self._of_head = [
            [[tensor[index] for tensor in tensors] for tensors in stacked]
            for index in range(len(self._heads))
        ]
        self._counts = [self._count] * len(self._stack.parameters)

    def _clip(self, limit: float) -> None:
        # As torch.nn.utils.clip_grad_norm_: the norm of one head's whole gradient.
        squares = [gradient.flatten(1).square().sum(1) for gradient in self._stack.gradients]
        norm = torch.stack(squares).sum(0).sqrt()
        scale = (limit / (norm + 1e-6)).clamp(max=1.0)
        for gradient in self._stack.gradients:
            gradient.mul_(scale.view(-1, *[1] * (gradient.dim() - 1)))

    def _step_adamw(self, index: int, head: Head, rate: float) -> None:
        parameters, gradients, first, second = self._of_head[index]
        torch._fused_adamw_(
            parameters,
            gradients,
            first,
            second,
            [],
            self._counts,
            lr=rate,
            beta1=BETA1,
            beta2=BETA2,
            weight_decay=head.weight_decay,
            eps=EPS,
            amsgrad=False,
            maximize=False,
        )

    def _step_sgd(self, index: int, head: Head, rate: float) -> None:
        parameters, gradients, *momenta = self._of_head[index]
        torch._fused_sgd_(
            parameters,
            gradients,
            momenta[0] if momenta else [],
            weight_decay=head.weight_decay,
            momentum=self._config.momentum,
            lr=rate,
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=self._is_first,
        )
