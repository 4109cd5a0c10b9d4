"""The statistics op beside its peers, in one process: `make bench`.

Every round runs each contestant once, in turn, so that a neighbour on the machine disturbs all
alike. With one thread the time is the process's CPU time, with more it is the wall clock. Peers
allocate large temporaries: the Makefile sets glibc's MALLOC_ variables so that these are recycled,
without which two thirds of the peers' time is page faults. FTCORE_BENCH_JSON names the results.
"""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterator
from statistics import median
from typing import Any

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.measurement import by, interleaved, write_results
from benchmarks.statistics_contestants import Case, contestants

CASES = (
    Case((65536, 10)),
    Case((16384, 1000)),
    Case((2048, 32000)),
    Case((8, 21, 256, 256), dim=1, ignores=True),
)


@pytest.fixture(scope="module")
def results() -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    yield rows
    write_results(os.environ.get("FTCORE_BENCH_JSON"), rows)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("threads", [1, 2], ids=["one thread", "two threads"])
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
        clock = time.process_time if threads == 1 else time.perf_counter
        times = interleaved(functions, by(clock))
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
