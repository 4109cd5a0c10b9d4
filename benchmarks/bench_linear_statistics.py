"""The fused linear statistics op beside the bare matrix product: part of `make bench`.

The same rounds, clocks and allocator as in bench_statistics.py. The extra memory is the growth of
the resident set's peak during one call, in a process of its own with glibc's default allocator.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.measurement import by, interleaved, number_of, write_results
from benchmarks.statistics_contestants import same_statistics
from ftcore import ops

SIZES = ((8192, 512, 1000), (8192, 768, 32000))  # rows, features, classes

MEMORY = """
import sys, torch
from benchmarks.measurement import forget_peak, peak_mib
from ftcore import ops
rows, depth, classes = map(int, sys.argv[1:4])
dtype = getattr(torch, sys.argv[4])
torch.set_num_threads(int(sys.argv[5]))
features, weight = torch.randn(rows, depth).to(dtype), torch.randn(classes, depth).to(dtype)
targets = torch.randint(classes, (rows,))
state = ops.ClassificationLayout.of(classes).empty()
def call(n: int) -> None:
    ops.linear_classification_statistics_(state, features[:n], weight, None, targets[:n])
features[:64] @ weight[:64].T  # the library's own buffers
forget_peak()
before = peak_mib()
call(rows)
print(peak_mib() - before)
"""


def extra_memory(size: tuple[int, int, int], dtype: torch.dtype, threads: int) -> float:
    """Return the MiB by which one call raises the peak of the resident set."""
    name = str(dtype).removeprefix("torch.")
    return number_of(MEMORY, *map(str, size), name, str(threads))


@pytest.fixture(scope="module")
def results() -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    yield rows
    write_results(os.environ.get("FTCORE_BENCH_LINEAR_JSON"), rows)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_linear_statistics(
    size: tuple[int, int, int],
    dtype: torch.dtype,
    threads: int,
    benchmark: BenchmarkFixture,
    results: list[dict[str, Any]],
) -> None:
    torch.set_num_threads(threads)
    rows, depth, classes = size
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(rows, depth, generator=generator).to(dtype)
    weight = (3 * torch.randn(classes, depth, generator=generator) / depth**0.5).to(dtype)
    targets = torch.randint(classes, (rows,), generator=generator)
    state = ops.ClassificationLayout.of(classes).empty()
    functions: dict[str, Callable[[], object]] = {
        "ftcore native": lambda: ops.linear_classification_statistics_(
            state, features, weight, None, targets
        ),
        "matrix product": lambda: features @ weight.T,
        "linear + torch eager": lambda: same_statistics(features @ weight.T, targets, 1, None),
    }
    times = interleaved(functions, by(time.process_time if threads == 1 else time.perf_counter))
    medians = {name: median(values) for name, values in times.items()}
    best = {name: min(values) for name, values in times.items()}
    row = {
        "size": size,
        "dtype": str(dtype).removeprefix("torch."),
        "threads": threads,
        "clock": "cpu" if threads == 1 else "wall",
        "median_ms": {name: 1e3 * value for name, value in medians.items()},
        "best_ms": {name: 1e3 * value for name, value in best.items()},
        "over_product_median": medians["ftcore native"] / medians["matrix product"],
        "over_product_best": best["ftcore native"] / best["matrix product"],
        "extra_mib": extra_memory(size, dtype, threads),
    }
    results.append(row)
    benchmark.extra_info.update(row)
    benchmark.pedantic(functions["ftcore native"], rounds=1)  # type: ignore[no-untyped-call]
