"""What the ops have in common in refusing arguments that do not fit."""

from __future__ import annotations

import torch
from torch import Tensor

from ftcore.errors import DataError

_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)


def check_float(name: str, tensor: Tensor) -> None:
    """Raise DataError unless the tensor is of a float of 16 to 64 bits."""
    if tensor.dtype not in _FLOATS:
        raise DataError(f"{name} are {tensor.dtype}; they must be a float of 16 to 64 bits")


def check_classes(name: str, tensor: Tensor) -> None:
    """Raise DataError unless the tensor is of integers."""
    if tensor.dtype not in _INTEGERS:
        raise DataError(f"{name} are {tensor.dtype}; class indices are integers")


def check_device(name: str, tensor: Tensor, device: torch.device) -> None:
    """Raise DataError unless the tensor is where the others are."""
    if tensor.device != device:
        raise DataError(f"{name} is on {tensor.device}, the others on {device}")


def check_weights(
    weights: Tensor | None, heads: tuple[int, ...], rows: tuple[int, ...], device: torch.device
) -> None:
    """Raise DataError unless weights are None, or whole numbers (*rows) or (*heads, *rows)."""
    if weights is None:
        return
    if weights.dtype not in (*_INTEGERS, torch.bool):
        raise DataError(
            f"weights are {weights.dtype}; they must be integers or bool: how often a row counts"
        )
    if tuple(weights.shape) not in (rows, (*heads, *rows)):
        wanted = f"{rows} or {(*heads, *rows)}" if heads else f"{rows}"
        raise DataError(f"weights have shape {tuple(weights.shape)}; these rows need {wanted}")
    check_device("weights", weights, device)


def weights_of(weights: Tensor | None, head: tuple[int, ...], targets: Tensor) -> Tensor:
    """Return how often each row of a head counts, in the shape of the targets (*rows)."""
    if weights is None:
        return torch.ones((), dtype=torch.int64, device=targets.device).expand(targets.shape)
    return (weights[head] if weights.dim() > targets.dim() else weights).long()


def check_output(
    name: str, output: Tensor, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device
) -> None:
    """Raise DataError unless an output has this shape, dtype and device."""
    if tuple(output.shape) != shape or output.dtype != dtype:
        raise DataError(
            f"{name} is {output.dtype} of shape {tuple(output.shape)}; these arguments need "
            f"{dtype} of shape {shape}"
        )
    check_device(name, output, device)
