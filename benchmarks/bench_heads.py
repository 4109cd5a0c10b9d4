"""Many linear heads trained together, beside one after the other: part of `make bench`.

One after the other by a lean loop, by the same loop over a DataLoader, and by ftcore's own for any
model. Of these no more than 60 heads are trained, or 4 of many classes; beyond, their time is
that of these times the number of heads, and the row says how many were measured. The extra memory
is the growth of the resident set's peak in a process of its own.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.heads_contestants import make_problem
from benchmarks.measurement import by, interleaved, number_of, write_results

DEPTH, ROWS = 512, 1000
# (folds, seeds, rates), classes, epochs
SIZES = (
    ((1, 1, 1), 10, 10),
    ((5, 3, 4), 10, 10),
    ((5, 6, 8), 10, 2),
    ((5, 25, 8), 10, 2),
    ((5, 3, 4), 100, 2),
    ((5, 3, 4), 1000, 1),
)

MEMORY = """
import json, sys, torch
from benchmarks.measurement import forget_peak, peak_mib
from benchmarks.heads_contestants import make_problem
torch.set_num_threads(1)
make_problem((1, 1, 2), *json.loads(sys.argv[2])[:-1], 1).together()  # the libraries' own buffers
problem = make_problem(json.loads(sys.argv[1]), *json.loads(sys.argv[2]))
forget_peak()
before = peak_mib()
kept = problem.together()
print(peak_mib() - before)
"""


def extra_memory(shape: tuple[int, int, int], classes: int) -> float:
    """Return the MiB by which one epoch of all heads raises the peak of the resident set."""
    return number_of(MEMORY, str(list(shape)), str([classes, DEPTH, ROWS, 1]))


@pytest.fixture(scope="module")
def results() -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    yield rows
    write_results(os.environ.get("FTCORE_BENCH_HEADS_JSON"), rows)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_heads(
    size: tuple[tuple[int, int, int], int, int],
    benchmark: BenchmarkFixture,
    results: list[dict[str, Any]],
) -> None:
    torch.set_num_threads(1)
    shape, classes, epochs = size
    heads = math.prod(shape)
    measured = min(heads, 60 if classes == 10 else 4)
    problem = make_problem(shape, classes, DEPTH, ROWS, epochs)
    prepared = problem.prepared(measured)
    functions = {
        "together": problem.together,
        "one by one": lambda: problem.one_by_one(measured),
        "one by one, DataLoader": lambda: problem.by_loader(measured),
        "one by one, ftcore run": lambda: problem.by_trainer(prepared),
    }
    times = interleaved(functions, by(time.process_time))
    scale = {"together": 1.0}
    seconds = {
        name: median(values) * scale.get(name, heads / measured) for name, values in times.items()
    }
    weights = heads * (DEPTH + 1) * classes * 4 / 2**20
    row = {
        "heads": heads,
        "folds, seeds, rates": shape,
        "classes": classes,
        "features": DEPTH,
        "rows": ROWS,
        "epochs": epochs,
        "threads": 1,
        "clock": "cpu",
        "measured_one_by_one": measured,
        "median_s": seconds,
        "rounds": {name: len(values) for name, values in times.items()},
        "times_faster": {name: value / seconds["together"] for name, value in seconds.items()},
        "extra_mib": extra_memory(shape, classes),
        "weights_mib": weights,
    }
    results.append(row)
    benchmark.extra_info.update(row)
    benchmark.pedantic(functions["together"], rounds=1)  # type: ignore[no-untyped-call]
