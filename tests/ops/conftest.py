"""Both kernels in one process: every test of an op runs with the native one and the reference."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch.library import Library

from ftcore.ops import classification, cpu_kernel, linear_classification, multilabel, regression

OPS = (classification, linear_classification, multilabel, regression)


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
    for op in OPS:
        library.impl(  # type: ignore[no-untyped-call]
            op.NAME, op.reference, "CPU", allow_override=True
        )
    try:
        yield name
    finally:
        library._destroy()  # type: ignore[no-untyped-call]
    for op in OPS:
        has_kernel = torch._C._dispatch_has_kernel_for_dispatch_key(f"ftcore::{op.NAME}", "CPU")
        assert has_kernel == cpu_kernel().is_native
