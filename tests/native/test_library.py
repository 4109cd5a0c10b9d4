"""The built libraries as files: what they need, for which torch they are, how they are found."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from ftcore._native import build
from ftcore._native.location import library_path
from tests.native.process import PROJECT, run

OF_TORCH_OPS = (build.CPU, build.CUDA)
STATUS = "from ftcore.ops import cpu_kernel; print(cpu_kernel())"


def test_torch_floor_is_that_of_the_dependency() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    major, minor = build.TORCH_FLOOR
    assert f"torch>={major}.{minor}" in project["dependencies"]


def built(library: build.Library) -> Path:
    path = library_path(library)
    if path is None:
        pytest.skip(f"{library.file} was not built")
    return path


@pytest.mark.skipif(shutil.which("nm") is None, reason="nm is not installed")
@pytest.mark.parametrize("library", OF_TORCH_OPS, ids=lambda library: library.name)
def test_no_cpp_symbol_of_torch_is_left_undefined(library: build.Library) -> None:
    table = subprocess.run(
        ["nm", "-D", "-u", "-C", built(library)], capture_output=True, text=True, check=True
    ).stdout
    assert "aoti_torch_" in table
    assert "at::" not in table
    assert "c10::" not in table
    assert "GOMP_" not in table  # threads are torch's: no second OpenMP beside it


@pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not installed")
@pytest.mark.parametrize("library", OF_TORCH_OPS, ids=lambda library: library.name)
def test_what_it_needs_is_torch_and_the_languages_own(library: build.Library) -> None:
    section = subprocess.run(
        ["readelf", "-d", built(library)], capture_output=True, text=True, check=True
    ).stdout
    needed = set(re.findall(r"NEEDED.*\[lib([a-z0-9_+]+)\.so", section))
    languages = {"stdc++", "gcc_s", "c", "m"}
    torch_own = {"torch", "torch_cpu", "c10"}
    if library is build.CUDA:
        torch_own |= {"torch_cuda", "cudart"}
    assert needed <= languages | torch_own
    assert "RPATH" not in section  # torch has loaded its own before, wherever it lies
    assert "RUNPATH" not in section


@pytest.mark.skipif(shutil.which("readelf") is None, reason="readelf is not installed")
def test_resampling_needs_no_torch() -> None:
    path = built(build.RESAMPLE)
    section = subprocess.run(
        ["readelf", "-d", path], capture_output=True, text=True, check=True
    ).stdout
    needed = set(re.findall(r"NEEDED.*\[lib([a-z0-9_+]+)\.so", section))
    assert needed <= {"stdc++", "gcc_s", "c", "m", "pthread"}


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


FOUND_IN = """
from pathlib import Path
import torch
import ftcore.ops.library as library
from ftcore._native import location
torch.version.cuda, torch.cuda.device_count = {cuda!r}, lambda: {gpus}
location._PACKAGE, location.cache_folder = Path({folder!r}), lambda: Path({folder!r})
library.cpu_kernel.cache_clear()
library.cuda_kernel.cache_clear()
print(library.cpu_kernel())
print(library.cuda_kernel())
"""


def kernels(folder: Path, cuda: str | None = "13.0", gpus: int = 1) -> list[str]:
    """Say which kernels are used if the libraries in `folder` are all there are."""
    code = FOUND_IN.format(folder=str(folder), cuda=cuda, gpus=gpus)
    return run(code, FTCORE_KERNEL="auto").stdout.splitlines()


def test_a_library_that_is_not_there_leaves_the_reference_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "build.txt").write_text("ftcore_cuda.so: nvcc: not found\n")
    end = "; `ftcore build` compiles it)"
    assert kernels(tmp_path) == [
        f"torch reference (no ftcore_cpu.so: it was not built{end}",
        f"torch reference (no ftcore_cuda.so: nvcc: not found{end}",
    ]


def test_a_damaged_library_leaves_the_reference(tmp_path: Path) -> None:
    for library in OF_TORCH_OPS:
        (tmp_path / library.file).write_bytes(b"not a library")
    for line in kernels(tmp_path):
        assert line.startswith("torch reference (")
        assert "cannot be loaded" in line


@pytest.mark.parametrize(
    ("cuda", "gpus", "reason"),
    [(None, 0, "is built without CUDA"), ("13.0", 0, "there is no GPU")],
)
def test_without_a_gpu_the_cuda_library_is_not_even_looked_for(
    cuda: str | None, gpus: int, reason: str, tmp_path: Path
) -> None:
    (tmp_path / build.CUDA.file).write_bytes(b"not a library")
    assert reason in kernels(tmp_path, cuda, gpus)[1]
