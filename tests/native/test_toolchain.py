"""The tools of a build, with an nvcc that is a script saying what a real one would."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
import torch

from ftcore._native import toolchain
from ftcore._native.toolchain import LackingError

DRYRUN = """#!/bin/sh
echo '#$ TOP={home}/bin/..' >&2
echo '#$ gcc -E -D__CUDACC_VER_MAJOR__={major} -D__CUDACC_VER_MINOR__={minor} /dev/null' >&2
"""
BROKEN = "#!/bin/sh\necho 'cannot find cicc' >&2\nexit 3\n"


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(toolchain, "_DEFAULT_NVCC", str(tmp_path / "nowhere"))
    monkeypatch.setenv("PATH", "/bin")
    for name in ("CUDA_HOME", "CUDA_PATH"):
        monkeypatch.delenv(name, raising=False)


def install(folder: Path, script: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    path = folder / "bin" / "nvcc"
    path.write_text(script)
    path.chmod(0o755)
    return folder


def nvcc_of(home: Path, version: str = "13.2") -> str:
    major, minor = version.split(".")
    return DRYRUN.format(home=home, major=major, minor=minor)


def test_the_toolkit_is_where_nvcc_says_and_not_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "cuda-13.2"
    install(home, nvcc_of(home))
    monkeypatch.setenv("PATH", str(install(tmp_path / "local", nvcc_of(home)) / "bin"))
    assert toolchain.find_toolkit() == toolchain.Toolkit(home, "13.2")


def test_cuda_home_comes_before_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(install(tmp_path / "broken", BROKEN) / "bin"))
    home = tmp_path / "home"
    monkeypatch.setenv("CUDA_HOME", str(install(home, nvcc_of(home))))
    assert toolchain.find_toolkit().home == home


def test_no_nvcc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LackingError, match="nvcc was not found in PATH, nor as "):
        toolchain.find_toolkit()
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))
    with pytest.raises(LackingError, match="bin, which CUDA_HOME names"):
        toolchain.find_toolkit()


def test_an_nvcc_that_does_not_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(install(tmp_path, BROKEN) / "bin"))
    with pytest.raises(LackingError, match="does not work: it ended with 3, saying cannot find"):
        toolchain.find_toolkit()


def test_an_nvcc_of_another_major_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(install(tmp_path, nvcc_of(tmp_path, "12.8")) / "bin"))
    with pytest.raises(LackingError, match=r"is of CUDA 12\.8, but torch is built with CUDA 13\.0"):
        toolchain.find_toolkit()


def test_a_torch_without_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(LackingError, match="is built without CUDA"):
        toolchain.find_toolkit()


@pytest.mark.skipif(torch.version.cuda is None, reason="torch is built without CUDA")
def test_the_runtime_is_the_one_that_torch_has_loaded() -> None:
    path = toolchain.find_cuda_runtime()
    assert path.is_file()
    assert path.name.startswith("libcudart.so.")


@pytest.mark.parametrize(
    ("gpus", "listed", "expected"),
    [(True, "", True), (False, "9.0", True), (False, "", False)],
)
def test_a_gpu_or_a_list_says_what_to_compile_for(
    gpus: bool, listed: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus)
    monkeypatch.setenv("TORCH_CUDA_ARCH_LIST", listed)
    assert toolchain.has_target() is expected


@pytest.mark.parametrize(
    ("holds_headers", "expected"),
    [(("pybind11", "torch"), "pybind11"), (("torch",), "torch"), ((), "")],
)
def test_headers_of_pybind11_are_its_own_or_those_that_torch_has(
    holds_headers: tuple[str, ...],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for name in holds_headers:
        (tmp_path / name / "include" / "pybind11").mkdir(parents=True)
        (tmp_path / name / "include" / "pybind11" / "pybind11.h").touch()

    def find_spec(name: str) -> ModuleSpec:
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(tmp_path / name)]
        return spec

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    if expected:
        assert toolchain.find_pybind11() == tmp_path / expected / "include"
    else:
        with pytest.raises(LackingError, match="pybind11 was not found; pip install pybind11"):
            toolchain.find_pybind11()
