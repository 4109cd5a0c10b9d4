"""What a fused linear loss could save in training: part of `make bench`.

Cross-entropy of a linear layer, forward and backward, beside the matrix products alone that it
cannot do without. A kernel that never holds the logits still computes these products: what they
leave is the most that it could save, were the rest to cost it nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch.nn.functional import cross_entropy, linear

from benchmarks.measurement import by, interleaved, write_results

# rows, features, classes
SIZES = ((8192, 512, 10), (8192, 512, 1000), (2048, 768, 32000), (8192, 64, 1000))


@pytest.fixture(scope="module")
def results() -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    yield rows
    write_results(os.environ.get("FTCORE_BENCH_LOSS_JSON"), rows)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_linear_loss(
    size: tuple[int, int, int], benchmark: BenchmarkFixture, results: list[dict[str, Any]]
) -> None:
    torch.set_num_threads(1)
    rows, depth, classes = size
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(rows, depth, generator=generator)
    inputs = features.clone().requires_grad_()
    weight = (3 * torch.randn(classes, depth, generator=generator) / depth**0.5).requires_grad_()
    targets = torch.randint(classes, (rows,), generator=generator)
    gradient, plain = torch.randn(rows, classes, generator=generator), weight.detach()

    def loss(given: torch.Tensor) -> None:
        weight.grad = inputs.grad = None
        cross_entropy(linear(given, weight), targets).backward()  # type: ignore[no-untyped-call]

    functions = {
        "loss": lambda: loss(inputs),
        "its products": lambda: (features @ plain.T, gradient @ plain, gradient.T @ features),
        "loss of a head": lambda: loss(features),  # of frozen features: no gradient of theirs
        "products of a head": lambda: (features @ plain.T, gradient.T @ features),
    }
    times = interleaved(functions, by(time.process_time))
    medians = {name: median(values) for name, values in times.items()}
    row = {
        "size": size,
        "dtype": "float32",
        "threads": 1,
        "clock": "cpu",
        "median_ms": {name: 1e3 * value for name, value in medians.items()},
        "most_saved": 1 - medians["its products"] / medians["loss"],
        "most_saved_of_a_head": 1 - medians["products of a head"] / medians["loss of a head"],
    }
    results.append(row)
    benchmark.extra_info.update(row)
    benchmark.pedantic(functions["loss"], rounds=1)  # type: ignore[no-untyped-call]
