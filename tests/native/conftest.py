"""What the tests of native code share."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.native.emulator import Emulator, compile_with_fibers


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Emulator:
    """The CUDA kernels on the CPU."""
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        pytest.skip(f"the compiler {compiler} was not found")
    path = tmp_path_factory.mktemp("cuda_on_cpu") / "cuda_on_cpu.so"
    compile_with_fibers("entry.cpp", path, [compiler], [])
    return Emulator(path)
