"""The built library and its build, as files: what it needs, and for which torch it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from ftcore._native import build
from ftcore.ops import cpu_kernel

PROJECT = Path(__file__).resolve().parents[2]


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PROJECT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


STATUS = "from ftcore.ops import cpu_kernel; print(cpu_kernel())"


def test_torch_floor_is_that_of_the_dependency() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    major, minor = build.TORCH_FLOOR
    assert f"torch>={major}.{minor}" in project["dependencies"]


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm is not installed")
def test_no_cpp_symbol_of_torch_is_left_undefined() -> None:
    kernel = cpu_kernel()
    if not kernel.is_native:
        pytest.skip(f"no native kernel: {kernel.why}")
    table = subprocess.run(
        ["nm", "-D", "-u", "-C", kernel.why], capture_output=True, text=True, check=True
    ).stdout
    assert "aoti_torch_" in table
    assert "at::" not in table
    assert "c10::" not in table
    assert "GOMP_" not in table  # threads are torch's: no second OpenMP beside it


def test_digest_tells_sources_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(build.source_folder(), tmp_path / "csrc")
    monkeypatch.setattr(build, "_HERE", tmp_path)
    before = build.digest()
    assert build.digest() == before
    (tmp_path / "csrc" / "core" / "new.h").write_text("")
    assert build.digest() != before


def test_the_reference_can_be_asked_for() -> None:
    assert run(STATUS, FTCORE_KERNEL="torch").stdout.startswith("torch reference (FTCORE_KERNEL")


def test_an_unknown_kernel_is_refused() -> None:
    result = run(STATUS, FTCORE_KERNEL="fast")
    assert "FTCORE_KERNEL=fast is none of auto and torch" in result.stderr


@pytest.mark.parametrize("content", [None, b"not a library"], ids=["missing", "damaged"])
def test_a_library_that_is_not_there_or_damaged_leaves_the_reference(
    content: bytes | None, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / build.CPU.file).write_bytes(content)
    code = f"""
from pathlib import Path
import ftcore.ops.library as library
library._PACKAGE, library.cache_folder = Path({str(tmp_path)!r}), lambda: Path({str(tmp_path)!r})
library.cpu_kernel.cache_clear()
print(library.cpu_kernel())
"""
    result = run(code, FTCORE_KERNEL="auto")
    expected = "`ftcore build` compiles it" if content is None else "cannot be loaded"
    assert result.stdout.startswith("torch reference (")
    assert expected in result.stdout
