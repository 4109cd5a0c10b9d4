"""Both kernels in one process: every test of an op runs with the native one and the reference."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch.library import Library

from ftcore.ops import (
    Kernel,
    classification,
    cpu_kernel,
    cuda_kernel,
    linear_classification,
    multilabel,
    regression,
)

OPS = (classification, linear_classification, multilabel, regression)


@pytest.fixture(params=["native", "reference"])
def kernel(request: pytest.FixtureRequest) -> Iterator[str]:
    """The kernel that the ops use on the CPU during a test."""
    with using(request.param, "CPU", cpu_kernel()):
        yield request.param


@pytest.fixture(params=["native", "reference"])
def gpu_kernel(request: pytest.FixtureRequest) -> Iterator[str]:
    """The kernel that the ops use on the GPU during a test; without a GPU the test is skipped."""
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU")
    with using(request.param, "CUDA", cuda_kernel()):
        yield request.param


@contextmanager
def using(name: str, dispatch_key: str, kernel: Kernel) -> Iterator[None]:
    if name == "native":
        if not kernel.is_native:
            pytest.skip(f"no native kernel: {kernel.why}")
        yield
        return
    before = kernels_of(dispatch_key)
    library = Library("ftcore", "IMPL")  # type: ignore[no-untyped-call]
    for op in OPS:
        library.impl(  # type: ignore[no-untyped-call]
            op.NAME, op.reference, dispatch_key, allow_override=True
        )
    try:
        yield
    finally:
        library._destroy()  # type: ignore[no-untyped-call]
    assert kernels_of(dispatch_key) == before


def kernels_of(dispatch_key: str) -> list[bool]:
    return [
        torch._C._dispatch_has_kernel_for_dispatch_key(f"ftcore::{op.NAME}", dispatch_key)
        for op in OPS
    ]
