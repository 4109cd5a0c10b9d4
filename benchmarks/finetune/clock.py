"""Wall and CPU seconds of a call, those of loader processes included."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Taken:
    """The seconds that a call took."""

    wall_s: float
    cpu_s: float


def timed(call: Callable[[], Result]) -> tuple[Result, Taken]:
    """Return what a call returns and what it took."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    result = call()
    return result, Taken(time.perf_counter() - wall, cpu_seconds() - cpu)


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its children, dead or alive.

    `os.times` counts a child when it is dead, but some loaders keep their workers.
    """
    times = os.times()
    dead = times.children_user + times.children_system
    return times.user + times.system + dead + sum(map(_seconds, Path("/proc").glob("[0-9]*/stat")))


def _seconds(stat: Path) -> float:
    try:
        fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:  # it has just ended
        return 0.0
    is_child = int(fields[1]) == os.getpid()
    return (int(fields[11]) + int(fields[12])) / TICKS if is_child else 0.0
