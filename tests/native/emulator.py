"""The CUDA kernels run on the CPU: compiled as plain C++, each thread of a block a fiber."""

from __future__ import annotations

import ctypes
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from ftcore.ops import ClassificationLayout, ClassificationState

FOLDER = Path(__file__).parent / "cuda_on_cpu"
WAYS = ("staged", "columns", "warps", "blocks")
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)

_POINTERS = ("logits", "targets", "weights", "counts", "labels", "sums", "values")
_NUMBERS = (
    *("logit_bytes", "type", "heads", "rows", "head_stride", "inner", "outer_stride"),
    *("inner_stride", "classes", "class_stride", "bins", "has_ignore_index", "ignore_index"),
    *("weight_stride", "has_confusion"),
)


class Arguments(ctypes.Structure):
    """The struct of the same name in entry.cpp."""

    _fields_ = [
        *((name, ctypes.c_void_p) for name in _POINTERS),
        *((name, ctypes.c_int64) for name in _NUMBERS),
    ]


class Emulator:
    """The compiled library, which says what went wrong in words."""

    def __init__(self, path: Path) -> None:
        self._library = ctypes.CDLL(str(path))
        self._library.score.restype = self._library.mistake.restype = ctypes.c_char_p
        self._library.way_of.restype = ctypes.c_int64

    def score(self, call: Call) -> None:
        """Run the kernels; raises AssertionError with what a GPU would not forgive."""
        message = self._library.score(ctypes.byref(call.arguments()))
        assert message is None, message.decode()

    def way_of(self, call: Call) -> str:
        """Return which way the kernels take through these logits."""
        return WAYS[self._library.way_of(ctypes.byref(call.arguments()))]

    def mistake(self, which: int) -> str:
        """Run a kernel with a mistake; return what was found."""
        message = self._library.mistake(ctypes.c_int64(which))
        return "nothing" if message is None else message.decode()


def compile_with_fibers(source: str, path: Path, command: list[str], links: list[str]) -> None:
    """Compile a source of the emulator's folder into a library at `path`."""
    flags = ["-std=c++20", "-O1", "-fPIC", "-shared", "-fvisibility=hidden", f"-I{FOLDER}"]
    strict = ["-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas"]  # nvcc's own
    strict += ["-U_FORTIFY_SOURCE"]  # which takes a jump between stacks for an error
    sources = ["-x", "c++", str(FOLDER / source), str(FOLDER / "fibers.cpp"), "-x", "none"]
    subprocess.run([*command, *flags, *strict, *sources, *links, "-o", str(path)], check=True)


@dataclass
class Call:
    """What the kernels are given, and the state that they add to.

    Shapes: logits (heads, N, C) or (heads, N, C, inner), of any strides; targets (N * inner,);
    weights the same, or (heads, N * inner). `labels` and `values` are (heads, N * inner, …).
    """

    logits: Tensor
    targets: Tensor
    weights: Tensor | None = None
    ignore_index: int | None = None
    bins: int = 15
    confusion: bool = True
    has_rows: bool = False
    state: ClassificationState = field(init=False)
    labels: Tensor = field(init=False)
    values: Tensor = field(init=False)

    def __post_init__(self) -> None:
        if self.logits.dim() == 3:
            self.logits = self.logits.unsqueeze(-1)
        heads, outer, classes, inner = self.logits.shape
        self.state = ClassificationLayout(classes, self.bins, self.confusion).empty((heads,))
        self.labels = torch.full((heads, outer * inner, 3), 77)
        self.values = torch.full((heads, outer * inner, 4), 77.0, dtype=torch.float64)

    def arguments(self) -> Arguments:
        """Return what the library takes."""
        z, weights = self.logits, self.weights
        heads, outer, classes, inner = z.shape
        head_stride, outer_stride, class_stride, inner_stride = z.stride()
        span = sum((size - 1) * stride for size, stride in zip(z.shape, z.stride(), strict=True))
        if inner == 1:
            inner, inner_stride = max(outer, 1), outer_stride
        return Arguments(
            logits=z.data_ptr(),
            logit_bytes=(span + 1) * z.element_size() if z.numel() else 0,
            targets=self.targets.data_ptr(),
            weights=None if weights is None else weights.data_ptr(),
            type=DTYPES.index(z.dtype),
            heads=heads,
            rows=len(self.targets),
            head_stride=head_stride,
            inner=inner,
            outer_stride=outer_stride,
            inner_stride=inner_stride,
            classes=classes,
            class_stride=class_stride,
            bins=self.bins,
            has_ignore_index=self.ignore_index is not None,
            ignore_index=self.ignore_index or 0,
            weight_stride=len(self.targets) if weights is not None and weights.dim() == 2 else 0,
            has_confusion=self.confusion,
            counts=self.state.counts.data_ptr(),
            labels=self.labels.data_ptr() if self.has_rows else None,
            sums=self.state.sums.data_ptr(),
            values=self.values.data_ptr() if self.has_rows else None,
        )

    def fields(self, head: int = 0) -> dict[str, Tensor]:
        """Return the fields of a head's state."""
        return {name: values[head] for name, values in self.state.fields.items()}
