"""Building the native library: by `setup.py` where torch is at hand, else by `ftcore build`.

Imports nothing of ftcore, since `setup.py` loads it before ftcore is installed, and torch and
setuptools only to build.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from setuptools import Command, Extension

CPU_LIBRARY = "ftcore_cpu.so"
TORCH_FLOOR = (2, 11)  # the least torch in pyproject.toml; a library built for it runs on any later

_HERE = Path(__file__).parent
_FLAGS = [
    "-O3",
    "-g0",
    "-std=c++20",
    "-fvisibility=hidden",
    "-ffp-contract=fast",  # a * b + c is rounded once, where the processor can
    "-fno-math-errno",
    "-fno-trapping-math",
    "-Wno-psabi",  # vectors wider than the registers cross no border between files
]
_STRICT = ["-Wall", "-Wextra", "-Werror"]  # for us alone: a newer compiler warns of new things


def source_folder() -> Path:
    """Return the folder of the C++ sources: in the installed package, or in the repository."""
    packaged = _HERE / "csrc"
    return packaged if packaged.is_dir() else _HERE.parents[1] / "csrc"


def digest() -> str:
    """Return what tells one state of the sources and flags from another."""
    folder, state = source_folder(), hashlib.sha256(repr((_FLAGS, TORCH_FLOOR)).encode())
    for path in sorted(folder.glob("*/*")):
        state.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return state.hexdigest()[:16]


def cpu_extension(name: str, start: Path | None = None) -> Extension:
    """Return the CPU library as an extension called `name`; FTCORE_STRICT=1 forbids warnings.

    Sources are named relative to `start`, as setuptools demands in a project, or in full.
    """
    from torch.utils.cpp_extension import CppExtension, include_paths

    folder = source_folder()

    def named(pattern: str) -> list[str]:
        paths = sorted(folder.glob(pattern))
        return [str(path) if start is None else os.path.relpath(path, start) for path in paths]

    major, minor = TORCH_FLOOR
    strict = _STRICT if os.environ.get("FTCORE_STRICT") == "1" else []
    # Torch's headers are to be read like the system's: what they warn of is not ours to mend.
    theirs = [flag for path in include_paths() for flag in ("-isystem", path)]
    return CppExtension(  # type: ignore[no-untyped-call]
        name,
        named("cpu/*.cpp"),
        define_macros=[("TORCH_TARGET_VERSION", hex(major << 56 | minor << 48) + "ULL")],
        depends=named("*/*.h"),
        extra_compile_args=[*_FLAGS, *theirs, *strict],
        extra_link_args=["-Wl,--as-needed"],
        py_limited_api=True,
    )


def build_command() -> Any:
    """Return torch's `build_ext`, naming the file without a version of Python."""
    from torch.utils.cpp_extension import BuildExtension

    return BuildExtension.with_options(  # type: ignore[no-untyped-call]
        no_python_abi_suffix=True
    )


def build(folder: Path) -> Path:
    """Build the CPU library into `folder` and return its path.

    The file appears whole or not at all. Raises whatever torch or the compiler ends with.
    """
    from setuptools import Distribution

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        extension = cpu_extension(Path(CPU_LIBRARY).stem)
        distribution = Distribution({"name": "ftcore", "ext_modules": [extension]})
        command: Command = build_command()(distribution)
        command.build_lib = command.build_temp = scratch
        command.ensure_finalized()
        command.run()
        return (Path(scratch) / CPU_LIBRARY).replace(folder / CPU_LIBRARY)
