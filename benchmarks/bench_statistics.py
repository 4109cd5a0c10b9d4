"""The statistics op beside its peers, in one process: `make bench`.

Every round runs each contestant once, in turn, so that a neighbour on the machine disturbs all
alike. With one thread the time is the process's CPU time, with more it is the wall clock. Peers
allocate large temporaries: the Makefile sets glibc's MALLOC_ variables so that these are recycled,
without which two thirds of the peers' time is page faults. FTCORE_BENCH_JSON names the results.
"""

from __future__ import annotations

import json
import os
import platform
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.statistics_contestants import Case, contestants

ROUNDS = int(os.environ.get("FTCORE_BENCH_ROUNDS", "15"))
PATIENCE = 8.0  # seconds of one contestant, after which it takes part in no more rounds
CASES = (
    Case((65536, 10)),
    Case((16384, 1000)),
    Case((2048, 32000)),
    Case((8, 21, 256, 256), dim=1, ignores=True),
)
PACKAGES = ("torch", "torchmetrics", "torcheval", "scikit-learn")


def host() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg(),
        "malloc": {name: v for name, v in os.environ.items() if name.startswith("MALLOC_")},
        "versions": {name: found for name in PACKAGES if (found := installed(name))},
    }


def installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@pytest.fixture(scope="module")
def results() -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    yield rows
    write_results(os.environ.get("FTCORE_BENCH_JSON"), rows)


def write_results(target: str | None, rows: list[dict[str, Any]]) -> None:
    """Write what was measured, and on what, unless there is no file to write to."""
    if target:
        Path(target).parent.mkdir(parents=True, exist_ok=True)
        content = {"host": host(), "rounds": ROUNDS, "rows": rows}
        Path(target).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def interleaved(
    functions: dict[str, Callable[[], object]], clock: Callable[[], float]
) -> dict[str, list[float]]:
    for function in functions.values():
        function()  # compiles, and fills the allocator
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(ROUNDS):
        for name, function in functions.items():
            if sum(times[name]) > PATIENCE:
                continue
            start = clock()
            function()
            times[name].append(clock() - start)
    return times


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.shape))
def test_statistics(
    case: Case,
    dtype: torch.dtype,
    threads: int,
    benchmark: BenchmarkFixture,
    results: list[dict[str, Any]],
) -> None:
    torch.set_num_threads(threads)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        functions = dict(contestants(case, dtype))
        times = interleaved(functions, time.process_time if threads == 1 else time.perf_counter)
    medians = {name: median(values) for name, values in times.items()}
    row = {
        "shape": case.shape,
        "dtype": str(dtype).removeprefix("torch."),
        "threads": threads,
        "clock": "cpu" if threads == 1 else "wall",
        "median_ms": {name: 1e3 * value for name, value in medians.items()},
        "best_ms": {name: 1e3 * min(values) for name, values in times.items()},
    }
    results.append(row)
    first = next(iter(functions))
    row["times_as_long"] = {name: value / medians[first] for name, value in medians.items()}
    benchmark.extra_info.update(row)
    benchmark.pedantic(functions[first], rounds=3)  # type: ignore[no-untyped-call]
