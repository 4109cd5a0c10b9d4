"""The tools that build the native libraries: found, or said in one sentence to be lacking.

Imports nothing of ftcore, for the reason given in `build.py`.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_DEFAULT_NVCC = "/usr/local/cuda/bin/nvcc"


class LackingError(Exception):
    """What a build needs is not there, or does not fit: one clause, without a full stop."""


@dataclass(frozen=True)
class Toolkit:
    """A CUDA toolkit: the folder that holds bin/nvcc, and its version, such as 13.0."""

    home: Path
    version: str


def find_compiler() -> str:
    """Return the C++ compiler's command; LackingError where there is none."""
    if sys.platform != "linux":
        raise LackingError(f"native libraries are built on Linux only, not on {sys.platform}")
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler.split()[0]) is None:
        raise LackingError(f"the compiler {compiler} was not found")
    return compiler


def torch_builder() -> Any:
    """Return torch.utils.cpp_extension; LackingError where torch cannot be imported.

    On a machine without a GPU it logs where it believes CUDA to be: often wrong, and of no use.
    """
    logger = logging.getLogger("torch.utils.cpp_extension")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        import torch.utils.cpp_extension
    except ImportError as error:
        raise LackingError(f"torch was not there to build against ({error})") from error
    finally:
        logger.setLevel(level)
    return torch.utils.cpp_extension


def find_pybind11() -> Path:
    """Return the folder of pybind11's headers; LackingError where there is none.

    An isolated build is given the package. Elsewhere torch's own copy does as well.
    """
    for name in ("pybind11", "torch"):
        spec = importlib.util.find_spec(name)
        for place in (spec.submodule_search_locations or []) if spec else []:
            folder = Path(place) / "include"
            if (folder / "pybind11" / "pybind11.h").is_file():
                return folder
    raise LackingError("pybind11 was not found; pip install pybind11")


def find_toolkit() -> Toolkit:
    """Return a CUDA toolkit that fits torch; LackingError where there is none."""
    torch_builder()
    import torch

    if torch.version.cuda is None:
        raise LackingError(f"torch {torch.__version__} is built without CUDA")
    toolkit = _toolkit_of(_find_nvcc())
    if toolkit.version.split(".")[0] != torch.version.cuda.split(".")[0]:
        raise LackingError(
            f"nvcc in {toolkit.home} is of CUDA {toolkit.version}, but torch is built with CUDA "
            f"{torch.version.cuda}: their major versions must be the same"
        )
    return toolkit


def _find_nvcc() -> str:
    home = os.environ.get("CUDA_HOME") or os.environ.get("CUDA_PATH")
    if home:
        nvcc = shutil.which("nvcc", path=str(Path(home) / "bin"))
        where = f"{home}/bin, which CUDA_HOME names"
    else:
        nvcc = shutil.which("nvcc") or shutil.which(_DEFAULT_NVCC)
        where = f"PATH, nor as {_DEFAULT_NVCC}"
    if nvcc is None:
        raise LackingError(f"nvcc was not found in {where}")
    return nvcc


@cache
def _toolkit_of(nvcc: str) -> Toolkit:
    # Its folder says little: what is called nvcc may be a script, or a link. It says itself what it
    # belongs to, in the commands of a run in which it would compile an empty file.
    command = [nvcc, "-v", "--dryrun", "-x", "cu", "-c", "/dev/null", "-o", "/dev/null"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise LackingError(f"{nvcc} cannot be run: {error}") from error
    words = done.stdout + done.stderr
    top = re.search(r"^#\$ TOP=(.+)$", words, re.MULTILINE)
    major = re.search(r"__CUDACC_VER_MAJOR__=(\d+)", words)
    minor = re.search(r"__CUDACC_VER_MINOR__=(\d+)", words)
    if done.returncode != 0 or top is None or major is None or minor is None:
        said = (words.strip() or "nothing").splitlines()[0]
        raise LackingError(f"{nvcc} does not work: it ended with {done.returncode}, saying {said}")
    return Toolkit(Path(top[1].strip()).resolve(), f"{major[1]}.{minor[1]}")


def find_cuda_runtime() -> Path:
    """Return the libcudart that torch has loaded; LackingError where it has loaded none.

    A library that is linked to this very file finds it loaded already, wherever it lies: in a
    toolkit, a wheel or a conda environment. A copy of it under another name, as torchvision brings
    its own, is not torch's.
    """
    torch_builder()
    maps = Path("/proc/self/maps").read_text(encoding="utf-8")
    found = re.search(r"/.*/libcudart\.so[^/\n]*$", maps, re.MULTILINE)
    if found is None:
        raise LackingError("torch has loaded no libcudart to link to")
    return Path(found[0])


def has_target() -> bool:
    """Tell whether it is known which GPU to compile for: one is here, or the user names some."""
    torch_builder()
    import torch

    return torch.cuda.is_available() or bool(os.environ.get("TORCH_CUDA_ARCH_LIST"))
