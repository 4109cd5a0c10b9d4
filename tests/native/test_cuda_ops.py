"""The ops' CUDA files: arguments, strides, heads and tiles, as the tests of the ops have them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from torch.utils.cpp_extension import include_paths, library_paths

from ftcore._native import build
from tests.native.cuda_ops_plugin import VARIABLE
from tests.native.emulator import compile_with_fibers

PROJECT = Path(__file__).resolve().parents[2]
# The rest is about the row kernels, which test_cuda_kernels.py has.
ROWS = (
    "not 600 and not 3073 and not 4100 and (any_shape or single_row or come_back or head or image "
    "or told or integers or refused or hostile or like_the_oracle and float32)"
)
# All but what takes long, and sizes and types between others.
COLUMNS = (
    "(test_regression or test_multilabel or test_column_ops) and not (opcheck or 1100 or 600 or "
    "strides_equal_the_oracle and (17 or 7 or 8 or 16 or 63 or 64 or bfloat16))"
)
CHOICE = f"native and not test_cuda and ({ROWS} or {COLUMNS})"


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        pytest.skip(f"the compiler {compiler} was not found")
    major, minor = build.TORCH_FLOOR
    flags = [
        f"-DTORCH_TARGET_VERSION={hex(major << 56 | minor << 48)}ULL",
        "-DFTCORE_TILE_BYTES=4096",  # so that few rows make many tiles,
        "-DFTCORE_TILE_ROWS=16",  # of several heads
        *(flag for path in include_paths() for flag in ("-isystem", path)),
        *(f"-L{path}" for path in library_paths()),
    ]
    path = tmp_path_factory.mktemp("cuda_ops") / "cuda_ops.so"
    compile_with_fibers("ops.cpp", path, [compiler, *flags], ["-ltorch_cpu", "-lc10"])
    return path


def test_the_cuda_kernels_pass_the_tests_of_the_ops(library: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.native.cuda_ops_plugin"]
    environment = {VARIABLE: str(library), "FTCORE_KERNEL": "torch", "PYTHONPATH": str(PROJECT)}
    result = subprocess.run(
        [*command, "-k", CHOICE, str(PROJECT / "tests" / "ops")],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert " passed" in result.stdout
    assert " skipped" not in result.stdout
