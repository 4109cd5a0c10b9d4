"""Build script: the native library, where it can be built; the metadata is in pyproject.toml.

FTCORE_BUILD=auto (the default) builds if torch and a compiler are at hand, and installs without
if not; cpu demands it, none leaves it out. See docs/decisions/0002-native-build.md.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
REASON = "build.txt"  # why there is no library, for `ftcore doctor`


def load_build() -> Any:
    """Return the module of ftcore that knows how to build, without importing ftcore."""
    path = ROOT / "ftcore" / "_native" / "build.py"
    spec = importlib.util.spec_from_file_location("ftcore_native_build", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def reveal_torch() -> None:
    """Let this build see the torch of the environment that pip installs into.

    pip hides it from an isolated build, which would unpack a second one to compile against. The
    library needs only its headers and C functions, the same in every torch from the floor up.
    """
    if importlib.util.find_spec("torch") is None:
        sys.path += [sysconfig.get_path("platlib"), sysconfig.get_path("purelib")]


def why_not() -> str | None:
    """Return what is missing to build the library, if something is."""
    if sys.platform != "linux":
        return f"it is built on Linux only, not on {sys.platform}"
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler.split()[0]) is None:
        return f"the compiler {compiler} was not found"
    reveal_torch()
    try:
        import torch.utils.cpp_extension as _  # noqa: F401
    except ImportError as error:
        return f"torch was not there to build against ({error})"
    return None


def native(choice: str) -> dict[str, Any]:
    """Return what setup() needs to build the library, or nothing if it is to do without."""
    if choice == "none":
        return {"reason": "FTCORE_BUILD=none left it out"}
    if choice not in ("auto", "cpu"):
        raise SystemExit(f"FTCORE_BUILD={choice} is none of auto, cpu and none")
    reason = why_not()
    if reason is not None:
        if choice == "cpu":
            raise SystemExit(f"FTCORE_BUILD=cpu, but {reason}")
        return {"reason": reason}
    build = load_build()
    extension = build.cpu_extension("ftcore._native." + Path(build.CPU_LIBRARY).stem, ROOT)
    return {
        "ext_modules": [extension],
        "cmdclass": {"build_ext": forgiving(build.build_command(), choice == "auto")},
        "options": {"bdist_wheel": {"py_limited_api": "cp311"}},
    }


def say(reason: str, folder: Path) -> None:
    """Say why there is no library, now and in the package."""
    print(f"ftcore: no native kernel: {reason}", file=sys.stderr)
    (folder / REASON).write_text(reason + "\n", encoding="utf-8")


def forgiving(command: Any, is_optional: bool) -> Any:
    """Return `build_ext` whose failure is said in one line, if the library is optional."""

    class BuildNative(command):  # type: ignore[misc]
        def run(self) -> None:
            try:
                super().run()
            except Exception as error:  # a border: compilers fail in any way they like
                if not is_optional:
                    raise
                self.extensions: list[Any] = []
                root = ROOT if self.inplace or self.editable_mode else Path(self.build_lib)
                first = (str(error).strip() or type(error).__name__).splitlines()[0]
                say(f"the compiler failed: {first}", root / "ftcore" / "_native")

    return BuildNative


class BuildPackage(build_py):  # type: ignore[misc]
    """Ships the sources, so that `ftcore build` can compile them where ftcore is installed."""

    reason: str | None = None

    def run(self) -> None:
        """Copy the package, its sources, and the reason why there is no library, if so."""
        super().run()
        package = ROOT if self.editable_mode else Path(self.build_lib)
        folder = package / "ftcore" / "_native"
        if not self.editable_mode:
            shutil.copytree(ROOT / "csrc", folder / "csrc", dirs_exist_ok=True)
        (folder / REASON).unlink(missing_ok=True)
        if self.reason is not None:
            say(self.reason, folder)


arguments = native(os.environ.get("FTCORE_BUILD", "auto"))
BuildPackage.reason = arguments.pop("reason", None)
commands = {"build_py": BuildPackage, **arguments.pop("cmdclass", {})}
setup(cmdclass=commands, **arguments)
