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
