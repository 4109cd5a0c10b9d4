"""Locks between processes, held on a file; they end with the process that holds them."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def holding(path: Path, when_taken: Callable[[float], None]) -> Iterator[None]:
    """Hold the lock of the file at `path`, which is made where it is missing.

    While another process has it, `when_taken` is called again and again with the seconds waited so
    far; it sleeps, or raises to give up. Where the system has no such locks, nothing is held.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    started = time.monotonic()
    waited = 0.0
    with path.open("ab") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                when_taken(waited)
                waited = time.monotonic() - started
            except OSError:  # a file system without locks
                break
        yield
