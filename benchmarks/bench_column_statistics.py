"""The statistics of regressions and of many labels beside their peers: part of `make bench`.

The same rounds, clocks and allocator as in bench_statistics.py. Torch eager computes the same sums
in float64 as the ops do, of the labels also the histograms; torchmetrics computes a part of them.
"""

from __future__ import annotations

import importlib.util
import os
import time
import warnings
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks.measurement import Contestant, by, interleaved, write_results
from ftcore import ops

BINS = 1027


@pytest.fixture(scope="module")
def results() -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    yield rows
    write_results(os.environ.get("FTCORE_BENCH_COLUMNS_JSON"), rows)


def regression(shape: tuple[int, int]) -> dict[str, Contestant]:
    generator = torch.Generator().manual_seed(0)
    outputs, targets = (torch.randn(shape, generator=generator) for _ in range(2))
    state = ops.RegressionLayout(shape[1]).empty()

    def eager() -> list[Tensor]:
        p, t = outputs.double(), targets.double()
        scored = p.isfinite() & t.isfinite()
        p, t = p.where(scored, 0.0), t.where(scored, 0.0)
        d = p - t
        sums = (d.abs(), d.square(), d, p, t, p.square(), t.square(), p * t)
        return [scored.sum(0), *(value.sum(0) for value in sums)]

    functions: dict[str, Contestant] = {
        "ftcore native": lambda: ops.regression_statistics_(state, outputs, targets),
        "torch eager": eager,
    }
    if importlib.util.find_spec("torchmetrics") is not None:
        from torchmetrics import MetricCollection
        from torchmetrics import regression as metrics

        many: dict[str, Any] = {"num_outputs": shape[1]}
        functions["torchmetrics"] = updating(
            MetricCollection(
                [
                    metrics.MeanSquaredError(**many),
                    metrics.MeanAbsoluteError(),
                    metrics.R2Score(multioutput="raw_values"),
                    metrics.PearsonCorrCoef(**many),
                ]
            ),
            *((x.squeeze(-1) for x in (outputs, targets)) if shape[1] == 1 else (outputs, targets)),
        )
    return functions


def multilabel(shape: tuple[int, int]) -> dict[str, Contestant]:
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(shape, generator=generator)
    targets = torch.randint(2, shape, generator=generator)
    labels = shape[1]
    state = ops.MultilabelLayout(labels).empty()

    def eager() -> list[Tensor]:
        scored, is_there = logits.isfinite(), targets == 1
        z, y = logits.where(scored, 0.0), targets.float()
        predicted, p = z >= 0, z.sigmoid()
        nll = binary_cross_entropy_with_logits(z, y, reduction="none")
        place = ((p * BINS).long().clamp_max(BINS - 1) + torch.arange(labels) * BINS).flatten()
        counts = (predicted & is_there, predicted & ~is_there, ~predicted & is_there)
        histograms = [
            torch.zeros(labels * BINS, dtype=torch.int64).scatter_add(0, place, amount.flatten())
            for amount in ((is_there & scored).long(), (~is_there & scored).long())
        ]
        return [
            *((count & scored).sum(0) for count in counts),
            nll.double().sum(0),
            (p - y).square().double().sum(0),
            (predicted == is_there).all(-1).sum(),
            *histograms,
        ]

    functions: dict[str, Contestant] = {
        "ftcore native": lambda: ops.multilabel_statistics_(state, logits, targets),
        "torch eager": eager,
    }
    if importlib.util.find_spec("torchmetrics") is not None and labels > 1:
        from torchmetrics import MetricCollection
        from torchmetrics import classification as metrics

        # Its AUROC holds rows x labels x thresholds at once, more memory than this machine has.
        collection = MetricCollection(
            [metrics.MultilabelF1Score(labels), metrics.MultilabelExactMatch(labels)]
        )
        functions["torchmetrics"] = updating(collection, logits, targets)
    return functions


def updating(collection: Any, outputs: Tensor, targets: Tensor) -> Contestant:
    def update() -> None:
        collection.reset()
        collection.update(outputs, targets)

    return update


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("make", "shape"),
    [(regression, (1 << 20, 1)), (regression, (65536, 16)), (multilabel, (65536, 80))],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_column_statistics(
    make: Callable[[tuple[int, int]], dict[str, Contestant]],
    shape: tuple[int, int],
    benchmark: BenchmarkFixture,
    results: list[dict[str, Any]],
) -> None:
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        functions = make(shape)
        times = interleaved(functions, by(time.process_time))
    medians = {name: median(values) for name, values in times.items()}
    row = {
        "op": make.__name__,
        "shape": shape,
        "dtype": "float32",
        "threads": 1,
        "clock": "cpu",
        "median_ms": {name: 1e3 * value for name, value in medians.items()},
    }
    results.append(row)
    benchmark.extra_info.update(row)
    benchmark.pedantic(functions["ftcore native"], rounds=1)  # type: ignore[no-untyped-call]
