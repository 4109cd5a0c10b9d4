"""Rounds in which contestants take turns, and the file that says what they took, and on what."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeAlias

ROUNDS = int(os.environ.get("FTCORE_BENCH_ROUNDS", "15"))
PATIENCE = 8.0  # seconds of one contestant, after which it takes part in no more rounds
PACKAGES = ("torch", "torchmetrics", "torcheval", "scikit-learn")

Contestant: TypeAlias = Callable[[], object]


def by(clock: Callable[[], float]) -> Callable[[Contestant], float]:
    """Return what measures the seconds that a call takes by `clock`."""

    def measure(function: Contestant) -> float:
        start = clock()
        function()
        return clock() - start

    return measure


def interleaved(
    functions: Mapping[str, Contestant],
    measure: Callable[[Contestant], float],
    patience: float = PATIENCE,
) -> dict[str, list[float]]:
    """Return what every round measured of each contestant, after a first call that is not."""
    for function in functions.values():
        function()  # compiles, and fills the allocator
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(ROUNDS):
        for name, function in functions.items():
            if sum(times[name]) <= patience:
                times[name].append(measure(function))
    return times


def peak_mib() -> float:
    """Return the largest resident set of this process since it began or `forget_peak` was called.

    ru_maxrss would not do: it is at least that of the process that started this one.
    """
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def forget_peak() -> None:
    """Let the peak start again from what is resident now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def number_of(script: str, *arguments: str) -> float:
    """Return the number that a Python script prints, in a process with glibc's own defaults."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return float(done.stdout)


def host(packages: Sequence[str] = PACKAGES) -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg(),
        "malloc": {name: v for name, v in os.environ.items() if name.startswith("MALLOC_")},
        "versions": {name: found for name in packages if (found := installed(name))},
    }


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def write_results(
    target: str | None, rows: list[dict[str, Any]], device: Mapping[str, Any] | None = None
) -> None:
    """Write what was measured, and on what, unless there is no file to write to."""
    if target:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        content = {"host": {**host(), **(device or {})}, "rounds": ROUNDS, "rows": rows}
        Path(target).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
