"""K heads of one architecture as stacked tensors: what every way of training them has."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

import torch
from torch import Tensor

B = TypeVar("B")  # one step's rows, as a stack wants them


class Stack(ABC, Generic[B]):
    """K heads that see the same batches; every parameter and buffer is (K, ...), in float32."""

    is_random: bool  # whether a step draws random numbers, such as dropout's

    def __init__(
        self, parameters: Mapping[str, Tensor], buffers: Mapping[str, Tensor], count: int
    ) -> None:
        self.count = count
        self.names = tuple(parameters)
        self.parameters = [_stacked(tensor, count) for tensor in parameters.values()]
        self.buffers = {name: _stacked(tensor, count) for name, tensor in buffers.items()}
        self.gradients = [torch.zeros_like(tensor) for tensor in self.parameters]

    @abstractmethod
    def batches(self, features: Tensor, targets: Tensor, sizes: Sequence[int]) -> list[B]:
        """Cut rows, in the order in which they are seen, into batches of these sizes."""

    @abstractmethod
    def backward(self, batch: B, losses: Tensor) -> None:
        """Write `gradients` of one batch, and its losses (K,)."""

    @abstractmethod
    def evaluate(self, batch: B) -> tuple[Tensor, Tensor]:
        """Return the outputs (K, n, ...) in eval mode, and the losses (K,)."""

    def state(self, index: int) -> dict[str, Tensor]:
        """Return a copy of one head's parameters and buffers, under the names of its module."""
        tensors = dict(zip(self.names, self.parameters, strict=True)) | self.buffers
        return {name: tensor[index].clone() for name, tensor in tensors.items()}

    def keep(self, indices: Sequence[int]) -> None:
        """Go on with the heads at these indices alone."""
        self.count = len(indices)
        self.parameters = [chosen(tensor, indices) for tensor in self.parameters]
        self.buffers = {name: chosen(tensor, indices) for name, tensor in self.buffers.items()}
        self.gradients = [torch.zeros_like(tensor) for tensor in self.parameters]


def chosen(tensor: Tensor, indices: Sequence[int]) -> Tensor:
    """Return the parts of a stacked tensor that belong to the heads at `indices`."""
    return tensor.index_select(0, torch.tensor(indices, device=tensor.device))


def _stacked(tensor: Tensor, count: int) -> Tensor:
    values = tensor.detach()
    return values.expand(count, *values.shape).clone(memory_format=torch.contiguous_format)
