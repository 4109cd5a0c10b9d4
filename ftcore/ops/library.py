"""The torch library that every op of ftcore is defined in, and the native kernels for it.

`register` takes an op's schema, its checks and its pure-torch reference from the op's own file, and
registers the reference for every device. A native kernel is registered for its device's dispatch
key, under the same schema, and torch's dispatcher prefers it from then on; nothing else knows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

import torch
from torch.library import Library

from ftcore._native import build
from ftcore._native.location import Kernel, load
from ftcore.errors import UsageError

_LIBRARY = Library("ftcore", "DEF")  # type: ignore[no-untyped-call]


class Call(Protocol):
    """The arguments of one call of an op, as its schema names them."""

    def check(self) -> None:
        """Raise DataError unless the arguments fit each other."""

    def add_(self) -> None:
        """Do what the op does, in plain torch."""


def register(name: str, schema: str, call: Callable[..., Call]) -> Callable[..., None]:
    """Define the op `name`; return its reference, which takes the arguments of the schema.

    The reference serves every device that has no native kernel. The fake checks its arguments, and
    changes nothing.
    """

    def reference(*args: Any, **options: Any) -> None:
        made = call(*args, **options)
        made.check()
        made.add_()

    def fake(*args: Any, **options: Any) -> None:
        call(*args, **options).check()

    _LIBRARY.define(name + schema)  # type: ignore[no-untyped-call]
    _LIBRARY.impl(name, reference, "CompositeExplicitAutograd")  # type: ignore[no-untyped-call]
    torch.library.register_fake(f"ftcore::{name}", fake, lib=_LIBRARY)
    return reference


@cache
def cpu_kernel() -> Kernel:
    """Load the native CPU library unless that is done, and say what the CPU uses from now on.

    FTCORE_KERNEL=torch leaves the reference in place. A library that is missing or cannot be loaded
    does too: every op still works. Raises UsageError for any other value than auto.
    """
    return _load(build.CPU)


@cache
def cuda_kernel() -> Kernel:
    """Load the native CUDA library, as `cpu_kernel` does that of the CPU, where there is a GPU.

    The GPUs are counted by the driver's management library, so that a process which imports this
    module can still fork, and use CUDA there.
    """
    if torch.version.cuda is None:
        return Kernel(False, f"torch {torch.__version__} is built without CUDA")
    if torch.cuda.device_count() == 0:
        return Kernel(False, "there is no GPU")
    return _load(build.CUDA)


def _load(library: build.Library) -> Kernel:
    try:
        return load(library, torch.ops.load_library)
    except ValueError as error:
        raise UsageError(str(error)) from error
