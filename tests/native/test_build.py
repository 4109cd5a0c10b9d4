"""How the libraries are compiled: flags, targets and what they are linked to."""

from __future__ import annotations

import importlib.machinery
from pathlib import Path

import pytest
import torch

from ftcore._native import build, toolchain


@pytest.fixture
def _cuda(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A CUDA toolkit without headers, a runtime in a wheel, and no GPU."""
    monkeypatch.setattr(toolchain, "find_toolkit", lambda: toolchain.Toolkit(tmp_path, "13.0"))
    runtime = tmp_path / "wheel" / "lib" / "libcudart.so.13"
    (tmp_path / "wheel" / "include").mkdir(parents=True)
    monkeypatch.setattr(toolchain, "find_cuda_runtime", lambda: runtime)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name in ("TORCH_CUDA_ARCH_LIST", "CXX", "FTCORE_STRICT"):
        monkeypatch.delenv(name, raising=False)


def nvcc_flags() -> str:
    return " ".join(build.extension(build.CUDA).extra_compile_args["nvcc"])


DEFAULT = ["arch=compute_80,code=sm_80", "arch=compute_90,code=sm_90"]


@pytest.mark.usefixtures("_cuda")
@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("", [*DEFAULT, "arch=compute_90,code=compute_90"]),
        ("native", [*DEFAULT, "arch=compute_90,code=compute_90"]),
        ("9.0", ["arch=compute_90,code=sm_90"]),
        (
            "8.0 10.0+PTX",
            [DEFAULT[0], *(f"arch=compute_100,code={k}_100" for k in ("sm", "compute"))],
        ),
    ],
)
def test_targets_are_those_listed_or_the_usual(
    listed: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_CUDA_ARCH_LIST", listed)
    targets = [
        word.removeprefix("-gencode=") for word in nvcc_flags().split() if "-gencode" in word
    ]
    assert sorted(targets) == sorted(expected)


@pytest.mark.usefixtures("_cuda")
def test_the_runtime_is_linked_by_its_path_and_brings_headers(tmp_path: Path) -> None:
    extension = build.extension(build.CUDA)
    assert str(tmp_path / "wheel" / "lib" / "libcudart.so.13") in extension.extra_link_args
    assert f"-isystem {tmp_path / 'wheel' / 'include'}" in nvcc_flags()
    assert extension.libraries[0] == "torch_cuda"


@pytest.mark.usefixtures("_cuda")
def test_headers_of_the_toolkit_come_first(tmp_path: Path) -> None:
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "cuda_runtime.h").touch()
    assert "wheel" not in nvcc_flags()


@pytest.mark.usefixtures("_cuda")
@pytest.mark.parametrize(
    ("compiler", "expected"), [("clang++", True), ("ccache g++", False), ("", False)]
)
def test_nvcc_uses_the_compiler_that_cxx_names(
    compiler: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", compiler)
    assert ("-ccbin" in nvcc_flags()) is expected


@pytest.mark.usefixtures("_cuda")
@pytest.mark.parametrize("library", build.LIBRARIES, ids=lambda library: library.name)
@pytest.mark.parametrize("strict", ["0", "1"])
def test_warnings_are_errors_for_us_alone(
    library: build.Library, strict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FTCORE_STRICT", strict)
    flags = build.extension(library).extra_compile_args
    for each in [flags] if library.is_module else flags.values():
        assert any("-Werror" in flag for flag in each) is (strict == "1")


@pytest.mark.usefixtures("_cuda")
def test_the_cpu_library_knows_nothing_of_cuda() -> None:
    extension = build.extension(build.CPU)
    assert "torch_cuda" not in extension.libraries
    assert not any("cuda" in flag.lower() for flag in extension.extra_link_args)
    assert all(Path(source).parent.name == "cpu" for source in extension.sources)


def test_the_module_of_resampling_rounds_as_numpy_does() -> None:
    extension = build.extension(build.RESAMPLE)
    assert "-ffp-contract=off" in extension.extra_compile_args
    assert not any("fast" in flag or "march" in flag for flag in extension.extra_compile_args)
    assert all(Path(source).parent.name == "resample" for source in extension.sources)


def test_a_module_is_named_for_its_version_of_python() -> None:
    assert build.RESAMPLE.file == "ftcore_resample" + importlib.machinery.EXTENSION_SUFFIXES[0]
    assert build.CPU.file == "ftcore_cpu.so"
