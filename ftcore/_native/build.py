"""Building the native libraries: by `setup.py` where tools are at hand, else by `ftcore build`.

Imports nothing of ftcore but its neighbours, since `setup.py` loads it before ftcore is installed,
and torch and setuptools only to build.
"""

from __future__ import annotations

import hashlib
import os
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ftcore._native import toolchain

if TYPE_CHECKING:
    from setuptools import Command, Extension

TORCH_FLOOR = (2, 11)  # the least torch in pyproject.toml; a library built for it runs on any later


@dataclass(frozen=True)
class Library:
    """A native library: its name, where below csrc/, and what it links to.

    Those of torch ops are named for the device that they have kernels for. One that is a module of
    Python's needs no torch, and fits the version of Python that it is built with.
    """

    name: str
    sources: str
    macros: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    is_module: bool = False

    @property
    def file(self) -> str:
        """Its file's name."""
        suffix = sysconfig.get_config_var("EXT_SUFFIX") if self.is_module else ".so"
        return f"ftcore_{self.name}{suffix}"


RESAMPLE = Library("resample", "resample/*.cpp", is_module=True)
CPU = Library("cpu", "cpu/*.cpp")
# USE_CUDA shows the functions for streams and errors in torch's headers.
CUDA = Library("cuda", "cuda/*.cu", macros=("USE_CUDA",), links=("torch_cuda",))
LIBRARIES = (RESAMPLE, CPU, CUDA)

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
_MODULE_FLAGS = [
    "-O3",
    "-g0",
    "-std=c++17",
    "-fvisibility=hidden",
    "-ffp-contract=off",  # a * b + c is rounded twice, as in NumPy
    "-Wno-psabi",
]
_CUDA_FLAGS = ["-O3", "-std=c++20", "-Xcompiler=-fvisibility=hidden"]
# Where no GPU says which: binaries for Ampere, Ada and Hopper, and PTX for what comes after.
_CUDA_TARGETS = [
    "-gencode=arch=compute_80,code=sm_80",
    "-gencode=arch=compute_90,code=sm_90",
    "-gencode=arch=compute_90,code=compute_90",
]
# For us alone: a newer compiler warns of new things.
_STRICT = ["-Wall", "-Wextra", "-Werror"]
_CUDA_STRICT = ["-Xcompiler=-Wall,-Wextra,-Werror", "-Werror=all-warnings"]


def source_folder() -> Path:
    """Return the folder of the sources: in the installed package, or in the repository."""
    packaged = _HERE / "csrc"
    return packaged if packaged.is_dir() else _HERE.parents[1] / "csrc"


def digest() -> str:
    """Return what tells one state of the sources and flags from another."""
    folder = source_folder()
    state = hashlib.sha256(
        repr((_FLAGS, _MODULE_FLAGS, _CUDA_FLAGS, LIBRARIES, TORCH_FLOOR)).encode()
    )
    for path in sorted(folder.glob("*/*")):
        state.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return state.hexdigest()[:16]


def require_tools(library: Library) -> None:
    """Raise LackingError unless all is there that `library` is built with."""
    toolchain.find_compiler()
    if library.is_module:
        toolchain.find_pybind11()
        return
    toolchain.torch_builder()
    if library is CUDA:
        toolchain.find_toolkit()
        toolchain.find_cuda_runtime()


def extension(library: Library) -> Extension:
    """Return the library as an extension; FTCORE_STRICT=1 forbids warnings."""
    is_strict = os.environ.get("FTCORE_STRICT") == "1"
    sources = sorted(map(str, source_folder().glob(library.sources)))
    if library.is_module:
        from setuptools import Extension

        theirs = ["-isystem", str(toolchain.find_pybind11())]
        options = [*_MODULE_FLAGS, *theirs, *(_STRICT if is_strict else [])]
        name = library.file.partition(".")[0]
        return Extension(name, sources, language="c++", extra_compile_args=options)
    torch_builder = toolchain.torch_builder()
    major, minor = TORCH_FLOOR
    macros: list[tuple[str, str | None]] = [(name, None) for name in library.macros]
    macros.append(("TORCH_TARGET_VERSION", hex(major << 56 | minor << 48) + "ULL"))
    # Torch's headers are to be read like the system's: what they warn of is not ours to mend.
    theirs = [flag for path in torch_builder.include_paths() for flag in ("-isystem", path)]
    flags = {"cxx": [*_FLAGS, *theirs, *(_STRICT if is_strict else [])]}
    links: list[str] = []
    if library is CUDA:
        runtime = toolchain.find_cuda_runtime()
        flags["nvcc"] = [*_cuda_flags(runtime), *theirs, *(_CUDA_STRICT if is_strict else [])]
        links = [str(runtime)]
    return torch_builder.CppExtension(
        Path(library.file).stem,
        sources,
        define_macros=macros,
        extra_compile_args=flags,
        extra_link_args=["-Wl,--as-needed", *links],
        libraries=list(library.links),
        py_limited_api=True,
    )


def _cuda_flags(runtime: Path) -> list[str]:
    """Return the flags for nvcc beside those of torch."""
    flags = [*_CUDA_FLAGS, *_cuda_targets()]
    # A compiler alone, without the runtime's headers: a wheel has them beside the runtime.
    home, beside = toolchain.find_toolkit().home, runtime.parents[1] / "include"
    if not (home / "include" / "cuda_runtime.h").is_file() and beside.is_dir():
        flags += ["-isystem", str(beside), "-isystem", str(beside / "cccl")]
    compiler = os.environ.get("CXX", "").split()
    if len(compiler) == 1:  # more words are a launcher or flags, which nvcc does not take here
        flags += ["-ccbin", compiler[0]]
    return flags


def _cuda_targets() -> list[str]:
    # Said in full, because torch leaves its own out where any flag has "arch" in it, also in the
    # name of a folder. A list of the user's may say "native", which means nothing without a GPU.
    import torch

    asked = os.environ.get("TORCH_CUDA_ARCH_LIST", "")
    if asked in ("", "native") and not torch.cuda.is_available():
        return _CUDA_TARGETS
    targets: list[str] = toolchain.torch_builder()._get_cuda_arch_flags()
    return targets


def build(library: Library, folder: Path) -> Path:
    """Build `library` into `folder` and return its path.

    The file appears whole or not at all. Raises LackingError where a tool is lacking, else whatever
    torch or the compiler ends with.
    """
    require_tools(library)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        command = _command(library)
        command.build_lib = command.build_temp = scratch
        command.ensure_finalized()
        command.run()
        return (Path(scratch) / library.file).replace(folder / library.file)


def _command(library: Library) -> Command:
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    distribution = Distribution({"name": "ftcore", "ext_modules": [extension(library)]})
    command: Command
    if library.is_module:
        command = build_ext(distribution)
    else:
        torch_builder = toolchain.torch_builder()
        if library is CUDA:
            torch_builder.CUDA_HOME = str(toolchain.find_toolkit().home)  # torch's guess is by PATH
        # Without the suffix that names a version of Python: it is no module of Python's.
        command = torch_builder.BuildExtension(distribution, no_python_abi_suffix=True)
    return command
