"""A plugin for pytest: the tests of the ops run with their CUDA kernels, emulated on the CPU.

For a process of its own, since the library takes the place of one for a GPU.
"""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import pytest
import torch
from torch.library import Library

import ftcore.ops
from ftcore.ops import Kernel, classification, linear_classification, multilabel, regression

VARIABLE = "FTCORE_TEST_CUDA_OPS"  # names the library
_LIBRARY = Library("ftcore", "IMPL")  # type: ignore[no-untyped-call]


def _call_as_on_cuda(op: Any, *args: Any, **options: Any) -> None:
    keys = torch._C.DispatchKeySet(torch._C.DispatchKey.CUDA)
    op.redispatch(keys, *args, **options)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:  # they ask for the kernel
    path = os.environ[VARIABLE]
    torch.ops.load_library(path)  # type: ignore[no-untyped-call]
    for module in (classification, linear_classification, multilabel, regression):
        op = getattr(torch.ops.ftcore, module.NAME).default
        _LIBRARY.impl(  # type: ignore[no-untyped-call]
            module.NAME, partial(_call_as_on_cuda, op), "CPU", allow_override=True
        )
    ftcore.ops.cpu_kernel = lambda: Kernel(True, path)  # type: ignore[assignment]
