"""Any head under any loss: the gradients of K heads by torch.func, one forward pass for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap

from ftcore.engine.heads.stack import Stack
from ftcore.interfaces import Inputs, Loss


@dataclass(frozen=True)
class ModuleBatch:
    """One step's rows."""

    features: Tensor  # (n, ...)
    targets: Tensor  # (n, ...)


class ModuleStack(Stack[ModuleBatch]):
    """K heads of one architecture that see the same batches, their parameters stacked.

    Dropout draws one mask for all of them, that which each would draw if it were trained alone.
    """

    is_random = True

    def __init__(self, head: nn.Module, count: int, loss: Loss) -> None:
        super().__init__(dict(head.named_parameters()), dict(head.named_buffers()), count)
        self.module, self.loss = head, loss

    def batches(self, features: Tensor, targets: Tensor, sizes: Sequence[int]) -> list[ModuleBatch]:
        """Cut rows, in the order in which they are seen, into batches of these sizes."""
        parts = zip(
            features.split_with_sizes(list(sizes)),
            targets.split_with_sizes(list(sizes)),
            strict=True,
        )
        return [ModuleBatch(*part) for part in parts]

    def backward(self, batch: ModuleBatch, losses: Tensor) -> None:
        """Write `gradients` of one batch, and its losses (K,)."""
        self.module.train()
        differentiate = grad_and_value(self._forward, has_aux=True)
        step = vmap(differentiate, in_dims=(0, 0, None, None), randomness="same")
        found, (values, _) = step(self._named(), self.buffers, batch.features, batch.targets)
        for gradient, name in zip(self.gradients, self.names, strict=True):
            gradient.copy_(found[name])
        losses.copy_(values)

    def evaluate(self, batch: ModuleBatch) -> tuple[Tensor, Tensor]:
        """Return the outputs (K, n, ...) in eval mode, and the losses (K,)."""
        self.module.eval()
        forward = vmap(self._forward, in_dims=(0, 0, None, None))
        losses, outputs = forward(self._named(), self.buffers, batch.features, batch.targets)
        return outputs, losses

    def _named(self) -> dict[str, Tensor]:
        return dict(zip(self.names, self.parameters, strict=True))

    def _forward(
        self,
        parameters: dict[str, Tensor],
        buffers: dict[str, Tensor],
        features: Tensor,
        targets: Tensor,
    ) -> tuple[Tensor, Inputs]:
        outputs = functional_call(self.module, (parameters, buffers), (features,))
        return self.loss(outputs, targets), outputs
