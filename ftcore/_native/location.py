"""Where the native libraries lie once they are built, and what is used where there is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from ftcore._native import build

CHOICES = ("auto", "torch")
_PACKAGE = Path(build.__file__).parent


@dataclass(frozen=True)
class Kernel:
    """Which code does a job, and why."""

    is_native: bool
    why: str
    reference: str = "torch reference"  # what stands in for the native library

    def __str__(self) -> str:
        return f"{'native' if self.is_native else self.reference} ({self.why})"


def cache_folder() -> Path:
    """Return where `ftcore build` puts libraries of these very sources."""
    return user_cache_path("ftcore") / "native" / build.digest()


def library_path(library: build.Library) -> Path | None:
    """Return the file of `library`, in the package or the cache; None where it was not built."""
    paths = [folder / library.file for folder in (_PACKAGE, cache_folder())]
    return next((path for path in paths if path.is_file()), None)


def load(
    library: build.Library, load_file: Callable[[Path], object], reference: str = "torch reference"
) -> Kernel:
    """Load a library by `load_file` and return what is used from then on.

    FTCORE_KERNEL=torch asks for the reference. A library that is missing, or that `load_file`
    raises OSError or ImportError for, leaves it too. Raises ValueError for another FTCORE_KERNEL.
    """
    choice = os.environ.get("FTCORE_KERNEL", "auto")
    if choice not in CHOICES:
        raise ValueError(f"FTCORE_KERNEL={choice} is none of {' and '.join(CHOICES)}")
    if choice == "torch":
        return Kernel(False, "FTCORE_KERNEL=torch asks for it", reference)
    path = library_path(library)
    if path is None:
        why = f"no {library.file}: {_reason(library)}; `ftcore build` compiles it"
        return Kernel(False, why, reference)
    try:
        load_file(path)
    except (OSError, ImportError) as error:  # built for another machine, or for a later torch
        return Kernel(False, f"{path} cannot be loaded: {error}", reference)
    return Kernel(True, str(path), reference)


def _reason(library: build.Library) -> str:
    try:
        lines = (_PACKAGE / "build.txt").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    reasons = dict(line.partition(": ")[::2] for line in lines)
    return reasons.get(library.file, "it was not built")
