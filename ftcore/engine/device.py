"""Where and in which arithmetic a run computes, and what the machine is made of."""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch

from ftcore.config import RunConfig
from ftcore.errors import ConfigError

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Machine:
    """A device, an arithmetic and a memory layout."""

    device: torch.device
    precision: str
    layout: torch.memory_format

    @classmethod
    def of(cls, config: RunConfig) -> Machine:
        """Return what the configuration asks for; ConfigError for a device that is not there."""
        layout = (
            torch.channels_last if config.layout == "channels_last" else torch.contiguous_format
        )
        return cls(_device(config.device), config.precision, layout)

    def arithmetic(self) -> dict[str, str]:
        """Return what the last digits of a result depend on: versions, and the processor's kind."""
        kind = torch.backends.cpu.get_cpu_capability()
        if self.device.type != "cpu":
            name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else ""
            kind = f"{self.device.type} {name}".strip()
        return {"ftcore": version("ftcore"), "torch": torch.__version__, "processor": kind}

    @property
    def dtype(self) -> torch.dtype:
        """The type in which matrices are multiplied."""
        return _DTYPES[self.precision]

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context in which forward passes run."""
        if self.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigError(f"device {name!r} cannot be used: {reason}; try --device cpu") from None
    return device


def has_native_bf16(device: torch.device) -> bool:
    """Return whether the device multiplies in bfloat16 itself; what emulates it is slower so."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    able = torch.cpu.get_capabilities()
    return any(able.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


@contextlib.contextmanager
def one_thread(*, when: bool) -> Iterator[None]:
    """Compute on one thread: a lone head's products are too small to share, and wait for it."""
    with threads(1 if when else torch.get_num_threads()):
        yield


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute on `count` threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def deterministic() -> Iterator[None]:
    """Prefer kernels that give the same bytes every time, as far as torch has them."""
    before = torch.get_deterministic_debug_mode()
    benchmark = torch.backends.cudnn.benchmark
    memory: Any = torch.utils.deterministic  # its properties are invisible to type checkers
    fill = memory.fill_uninitialized_memory
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # torch.use_deterministic_algorithms says the same, but imports torch's compiler, for a second.
    torch.set_deterministic_debug_mode("warn")
    torch.backends.cudnn.benchmark = False
    # Nothing here reads memory it has not written; filling it first costs a pass over it.
    memory.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before)
        torch.backends.cudnn.benchmark = benchmark
        memory.fill_uninitialized_memory = fill


def free_memory() -> int:
    """Return the bytes of memory that are free; a cautious guess where the system does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # macOS lacks the one name, Windows the call
        return 4 * 2**30


def environment(machine: Machine) -> dict[str, Any]:
    """Return what the result may depend on: versions, processor, threads, device."""
    import numpy as np

    values: dict[str, Any] = {
        "ftcore": version("ftcore"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": str(machine.device),
    }
    if machine.device.type == "cuda":
        values["gpu"] = torch.cuda.get_device_name(machine.device)
        values["cuda"] = torch.version.cuda
    return values
