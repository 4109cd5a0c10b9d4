"""Build script: the native libraries that can be built; the metadata is in pyproject.toml.

FTCORE_BUILD=auto (the default) builds what it can and installs without the rest; cpu demands those
for the CPU, cuda all, none leaves them out. See docs/decisions/0002-native-build.md.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # what is built is this tree's, whatever else is installed

from ftcore._native import build, choice, toolchain  # noqa: E402

REASONS = "build.txt"  # why a library is not there, one a line, for `ftcore doctor`
CHOICE = os.environ.get("FTCORE_BUILD", "auto")


def reveal_torch() -> None:
    """Let this build see the torch of the environment that pip installs into.

    pip hides it from an isolated build, which would unpack a second one to compile against. The
    libraries need only its headers and C functions, the same in every torch from the floor up.
    """
    if importlib.util.find_spec("torch") is None:
        sys.path += [sysconfig.get_path("platlib"), sysconfig.get_path("purelib")]


def left_out() -> dict[build.Library, str]:
    """Return the libraries not to be built, and why; end here if one is demanded in vain."""
    try:
        reasons = choice.left_out(CHOICE)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    for library in build.LIBRARIES:
        if choice.is_demanded(library, CHOICE):
            try:
                build.require_tools(library)
            except toolchain.LackingError as error:
                raise SystemExit(f"FTCORE_BUILD={CHOICE}, but {error}") from error
    return reasons


def say(library: build.Library, reason: str, folder: Path) -> None:
    """Say why a library is not there, now and in the package."""
    print(f"ftcore: no {library.file}: {reason}", file=sys.stderr)
    with (folder / REASONS).open("a", encoding="utf-8") as file:
        file.write(f"{library.file}: {reason}\n")


class BuildNative(build_ext):  # type: ignore[misc]
    """Builds each library on its own, so that one which fails leaves the other."""

    extensions: list[NativeLibrary]

    def run(self) -> None:
        """Build the libraries; say in one line which failed, or end there if it is demanded."""
        package = ROOT if self.inplace or self.editable_mode else Path(self.build_lib)
        folder = package / "ftcore" / "_native"
        built = []
        for extension in self.extensions:
            library = extension.library
            try:
                build.build(library, folder)
            except Exception as error:  # a border: compilers fail in any way they like
                reason = choice.summary(error)
                if choice.is_demanded(library, CHOICE):
                    what = f"FTCORE_BUILD={CHOICE}, but {library.file} could not be built"
                    raise SystemExit(f"{what}: {reason}") from error
                say(library, reason, folder)
            else:
                built.append(extension)
        self.extensions = built

    def get_ext_filename(self, fullname: str) -> str:
        """Return the path of a library, whose name `build` knows."""
        *folders, stem = fullname.split(".")
        files = {name_of(library): library.file for library in build.LIBRARIES}
        return str(Path(*folders, files[stem]))


def name_of(library: build.Library) -> str:
    """Return the name of a library's file, without what follows."""
    return library.file.partition(".")[0]


class NativeLibrary(Extension):  # type: ignore[misc]
    """A library as setuptools knows it, a file of the package; `build` knows its sources."""

    def __init__(self, library: build.Library) -> None:
        name = "ftcore._native." + name_of(library)
        super().__init__(name, sources=[], py_limited_api=not library.is_module)
        self.library = library


class BuildPackage(build_py):  # type: ignore[misc]
    """Ships the sources, so that `ftcore build` can compile them where ftcore is installed."""

    reasons: dict[build.Library, str]

    def run(self) -> None:
        """Copy the package and its sources; note which libraries are left out, and why."""
        super().run()
        package = ROOT if self.editable_mode else Path(self.build_lib)
        folder = package / "ftcore" / "_native"
        if not self.editable_mode:
            shutil.copytree(ROOT / "csrc", folder / "csrc", dirs_exist_ok=True)
        for name in (REASONS, *(library.file for library in build.LIBRARIES)):
            (folder / name).unlink(missing_ok=True)  # an earlier build's
        for library, reason in self.reasons.items():
            say(library, reason, folder)


reveal_torch()
BuildPackage.reasons = left_out()
arguments: dict[str, Any] = {}
if libraries := [library for library in build.LIBRARIES if library not in BuildPackage.reasons]:
    arguments["ext_modules"] = [NativeLibrary(library) for library in libraries]
    if not any(library.is_module for library in libraries):  # a module fits one version of Python
        arguments["options"] = {"bdist_wheel": {"py_limited_api": "cp311"}}
setup(cmdclass={"build_py": BuildPackage, "build_ext": BuildNative}, **arguments)
