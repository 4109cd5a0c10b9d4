"""Which native libraries are built: what FTCORE_BUILD asks for, against what is there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable

from ftcore._native import toolchain
from ftcore._native.build import CPU, CUDA, LIBRARIES, RESAMPLE, Library, require_tools

_DEMANDED: dict[str, tuple[Library, ...]] = {
    "auto": (),
    "cpu": (RESAMPLE, CPU),
    "cuda": (RESAMPLE, CPU, CUDA),
    "none": (),
}


def obstacle(library: Library) -> str | None:
    """Return why `library` is not built unasked, or None where it is."""
    try:
        require_tools(library)
    except toolchain.LackingError as error:
        return str(error)
    if library is CUDA and not toolchain.has_target():
        return "compiling it takes minutes, and no GPU is here nor named in TORCH_CUDA_ARCH_LIST"
    return None


def is_demanded(library: Library, choice: str) -> bool:
    """Tell whether a build without `library` fails under FTCORE_BUILD=`choice`."""
    return library in _DEMANDED[choice]


def left_out(
    choice: str, find_obstacle: Callable[[Library], str | None] = obstacle
) -> dict[Library, str]:
    """Return the libraries that are not to be built under FTCORE_BUILD=`choice`, and why.

    What is demanded is never among them: its build fails, and says why, where a tool is lacking.
    Raises ValueError for any other choice than auto, cpu, cuda and none.
    """
    if choice not in _DEMANDED:
        *most, last = _DEMANDED
        raise ValueError(f"FTCORE_BUILD={choice} is none of {', '.join(most)} and {last}")
    reasons: dict[Library, str] = {}
    for library in LIBRARIES:
        if is_demanded(library, choice):
            continue
        if choice != "auto":
            reasons[library] = f"FTCORE_BUILD={choice} left it out"
        elif reason := find_obstacle(library):
            reasons[library] = reason
    return reasons


def summary(error: Exception) -> str:
    """Return in one clause why a build failed with `error`, whatever it is."""
    first = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(". ")
    if whole := re.match(r"Command '\['([^']+)'.*\]' (returned .+)", first):
        return f"the compiler failed ({whole[1]} {whole[2]})"  # without all of its options
    failed = subprocess.CalledProcessError
    if isinstance(error, failed) or isinstance(error.__cause__, failed):
        return f"the compiler failed ({first})"
    return first
