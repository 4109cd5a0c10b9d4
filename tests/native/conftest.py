"""What the tests of native code share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.native.column_emulator import ColumnEmulator
from tests.native.emulator import Emulator, compile_with_fibers


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Emulator:
    """The CUDA kernels of classifications on the CPU."""
    return Emulator(_compiled("entry.cpp", tmp_path_factory))


@pytest.fixture(scope="session")
def column_emulator(tmp_path_factory: pytest.TempPathFactory) -> ColumnEmulator:
    """The CUDA kernels of ops with columns on the CPU."""
    return ColumnEmulator(_compiled("columns.cpp", tmp_path_factory))


def _compiled(source: str, folders: pytest.TempPathFactory) -> Path:
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        pytest.skip(f"the compiler {compiler} was not found")
    path = folders.mktemp("cuda_on_cpu") / "library.so"
    compile_with_fibers(source, path, [compiler], [])
    return path
