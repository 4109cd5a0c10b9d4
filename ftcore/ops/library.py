"""The torch library that every op of ftcore is defined in, and the native kernels for it.

`register` takes an op's schema, its checks and its pure-torch reference from the op's own file, and
registers the reference for every device. A native kernel is registered for its device's dispatch
key, under the same schema, and torch's dispatcher prefers it from then on; nothing else knows.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import torch
from platformdirs import user_cache_path
from torch.library import Library

from ftcore._native import build
from ftcore.errors import UsageError

_LIBRARY = Library("ftcore", "DEF")  # type: ignore[no-untyped-call]
CHOICES = ("auto", "torch")

_PACKAGE = Path(build.__file__).parent


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


@dataclass(frozen=True)
class Kernel:
    """Which kernels a device has, and why."""

    is_native: bool
    why: str

    def __str__(self) -> str:
        return f"{'native' if self.is_native else 'torch reference'} ({self.why})"


def cache_folder() -> Path:
    """Return where `ftcore build` puts libraries of these very sources."""
    return user_cache_path("ftcore") / "native" / build.digest()


def library_path(library: build.Library) -> Path | None:
    """Return the file of `library`, in the package or the cache; None where it was not built."""
    paths = [folder / library.file for folder in (_PACKAGE, cache_folder())]
    return next((path for path in paths if path.is_file()), None)


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
    choice = os.environ.get("FTCORE_KERNEL", "auto")
    if choice not in CHOICES:
        raise UsageError(f"FTCORE_KERNEL={choice} is none of {' and '.join(CHOICES)}")
    if choice == "torch":
        return Kernel(False, "FTCORE_KERNEL=torch asks for it")
    path = library_path(library)
    if path is None:
        return Kernel(False, f"no {library.file}: {_reason(library)}; `ftcore build` compiles it")
    try:
        torch.ops.load_library(path)  # type: ignore[no-untyped-call]
    except OSError as error:  # built for another machine, or for a later torch than this one
        return Kernel(False, f"{path} cannot be loaded: {error}")
    return Kernel(True, str(path))


def _reason(library: build.Library) -> str:
    try:
        lines = (_PACKAGE / "build.txt").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    reasons = dict(line.partition(": ")[::2] for line in lines)
    return reasons.get(library.file, "it was not built")
