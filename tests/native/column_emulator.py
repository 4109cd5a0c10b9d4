"""The CUDA kernels of ops with columns run on the CPU; see emulator.py."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ftcore.ops.layout import State
from tests.native.emulator import DTYPES

_POINTERS = ("outputs", "targets", "weights", "counts", "sums")
_NUMBERS = (
    *("output_bytes", "target_bytes", "type", "target_type", "heads", "rows", "columns"),
    *("head_stride", "row_stride", "column_stride", "target_row_stride", "target_column_stride"),
    *("weight_stride", "has_ignore_index", "ignore_index"),
)


class Arguments(ctypes.Structure):
    """The struct of the same name in columns.cpp."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in _POINTERS),
        *((name, ctypes.c_int64) for name in _NUMBERS),
        ("center", ctypes.c_double),
    ]


@dataclass
class ColumnCall:
    """What the kernels are given, and the state that they add to, heads first.

    Shapes: outputs (heads, N, K) of any strides; targets (N, K), of labels contiguous; weights (N,)
    or (heads, N).
    """

    state: State[Any]
    outputs: Tensor
    targets: Tensor
    weights: Tensor | None = None
    ignore_index: int | None = None
    center: float = 0.0

    def arguments(self) -> Arguments:
        """Return what the library takes."""
        (heads, rows, columns), weights = self.outputs.shape, self.weights
        types = DTYPES if self.targets.is_floating_point() else (torch.uint8, torch.int64)
        return Arguments(
            outputs=self.outputs.data_ptr(),
            targets=self.targets.data_ptr(),
            weights=None if weights is None else weights.data_ptr(),
            counts=self.state.counts.data_ptr(),
            sums=self.state.sums.data_ptr(),
            output_bytes=_span(self.outputs),
            target_bytes=_span(self.targets),
            type=DTYPES.index(self.outputs.dtype),
            target_type=types.index(self.targets.dtype),
            heads=heads,
            rows=rows,
            columns=columns,
            head_stride=self.outputs.stride(0),
            row_stride=self.outputs.stride(1),
            column_stride=self.outputs.stride(2),
            target_row_stride=self.targets.stride(0),
            target_column_stride=self.targets.stride(1),
            weight_stride=rows if weights is not None and weights.dim() == 2 else 0,
            has_ignore_index=self.ignore_index is not None,
            ignore_index=self.ignore_index or 0,
            center=self.center,
        )


def _span(tensor: Tensor) -> int:
    """Return the bytes from a tensor's first element to its last."""
    if tensor.numel() == 0:
        return 0
    last = sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride(), strict=True))
    return (last + 1) * tensor.element_size()


class ColumnEmulator:
    """The compiled library; its methods raise AssertionError with what a GPU would not forgive."""

    def __init__(self, path: Path) -> None:
        self._library = ctypes.CDLL(str(path))
        for function in (self._library.add_regression, self._library.add_multilabel):
            function.restype = ctypes.c_char_p
        self._library.chunks_of.restype = ctypes.c_int64

    def add_regression(self, call: ColumnCall) -> None:
        """Run the kernels of regression_statistics_."""
        message = self._library.add_regression(ctypes.byref(call.arguments()))
        assert message is None, message.decode()

    def add_multilabel(self, call: ColumnCall) -> None:
        """Run the kernels of multilabel_statistics_."""
        message = self._library.add_multilabel(ctypes.byref(call.arguments()))
        assert message is None, message.decode()

    def chunks_of(self, rows: int, columns: int) -> int:
        """Return into how many chunks the rows are divided."""
        chunks: int = self._library.chunks_of(ctypes.c_int64(rows), ctypes.c_int64(columns))
        return chunks
