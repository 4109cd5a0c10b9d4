"""Both kernels in one process: every test of an op runs with the native one and the reference."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch.library import Library

from ftcore.ops import classification, cpu_kernel


@pytest.fixture(params=["native", "reference"])
def kernel(request: pytest.FixtureRequest) -> Iterator[str]:
    """The kernel that the ops use on the CPU during a test."""
    name: str = request.param
    if name == "native":
        if not cpu_kernel().is_native:
            pytest.skip(f"no native kernel: {cpu_kernel().why}")
        yield name
        return
    library = Library("ftcore", "IMPL")  # type: ignore[no-untyped-call]
    library.impl(  # type: ignore[no-untyped-call]
        classification.NAME, classification.reference, "CPU", allow_override=True
    )
    try:
        yield name
    finally:
        library._destroy()  # type: ignore[no-untyped-call]
    assert (
        torch._C._dispatch_has_kernel_for_dispatch_key(f"ftcore::{classification.NAME}", "CPU")
        == cpu_kernel().is_native
    )
