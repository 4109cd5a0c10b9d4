"""Which libraries are built, for each value of FTCORE_BUILD and each thing that may be lacking."""

from __future__ import annotations

import subprocess

import pytest

from ftcore._native import choice, toolchain
from ftcore._native.build import CPU, CUDA, LIBRARIES, RESAMPLE, Library

NO_COMPILER = {RESAMPLE: "no g++", CPU: "no g++", CUDA: "no g++"}
NO_TORCH = {CPU: "no torch", CUDA: "no torch"}
NO_NVCC = {CUDA: "no nvcc"}
NINJA = subprocess.CalledProcessError(1, "ninja")


@pytest.mark.parametrize(
    ("asked", "obstacles", "left_out"),
    [
        ("auto", {}, {}),
        ("auto", NO_NVCC, NO_NVCC),
        ("auto", NO_COMPILER, NO_COMPILER),
        ("auto", NO_TORCH, NO_TORCH),
        ("cpu", {}, {CUDA: "FTCORE_BUILD=cpu left it out"}),
        ("cpu", NO_COMPILER, {CUDA: "FTCORE_BUILD=cpu left it out"}),
        ("cuda", {}, {}),
        ("cuda", NO_NVCC, {}),
        (
            "none",
            {},
            dict.fromkeys((RESAMPLE, CPU, CUDA), "FTCORE_BUILD=none left it out"),
        ),
    ],
)
def test_what_is_left_out_and_why(
    asked: str, obstacles: dict[Library, str], left_out: dict[Library, str]
) -> None:
    assert choice.left_out(asked, obstacles.get) == left_out


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(ValueError, match="FTCORE_BUILD=gpu is none of auto, cpu, cuda and none"):
        choice.left_out("gpu")


@pytest.mark.parametrize(
    ("asked", "demanded"),
    [("auto", []), ("cpu", [RESAMPLE, CPU]), ("cuda", [RESAMPLE, CPU, CUDA]), ("none", [])],
)
def test_what_must_not_fail(asked: str, demanded: list[Library]) -> None:
    assert [library for library in LIBRARIES if choice.is_demanded(library, asked)] == demanded


@pytest.mark.parametrize("has_target", [True, False])
def test_cuda_is_built_unasked_only_for_a_gpu(
    has_target: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "require_tools", lambda library: None)
    monkeypatch.setattr(toolchain, "has_target", lambda: has_target)
    assert choice.obstacle(CPU) is None
    reason = choice.obstacle(CUDA)
    assert reason is None if has_target else "no GPU is here" in str(reason)


def test_a_lacking_tool_is_the_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler -m64")
    assert choice.obstacle(CPU) == "the compiler no-such-compiler -m64 was not found"
    assert choice.obstacle(CUDA) == choice.obstacle(CPU) == choice.obstacle(RESAMPLE)


@pytest.mark.parametrize(
    ("error", "cause", "expected"),
    [
        (RuntimeError("One.\nTwo."), None, "One"),
        (RuntimeError(), None, "RuntimeError"),
        (
            RuntimeError("Error compiling objects"),
            NINJA,
            "the compiler failed (Error compiling obj",
        ),
        (
            RuntimeError("Command '['g++', '-I/x y', 'a.cpp']' returned non-zero exit status 1"),
            None,
            "the compiler failed (g++ returned non-zero exit status 1)",
        ),
        (NINJA, None, "the compiler failed (Command 'ninja' returned non-zero exit status 1)"),
    ],
)
def test_a_failure_is_said_in_one_clause(
    error: Exception, cause: Exception | None, expected: str
) -> None:
    error.__cause__ = cause
    assert choice.summary(error).startswith(expected)
