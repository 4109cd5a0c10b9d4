"""Rounds in which contestants take turns, and the file that says what they took, and on what."""

from __future__ import annotations

import json
import os
import platform
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
