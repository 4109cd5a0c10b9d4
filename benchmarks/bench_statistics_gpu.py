"""The statistics op beside its peers on a GPU: `python -m benchmarks.bench_statistics_gpu [FILE]`.

Every round runs each contestant once, in turn. Two times are taken of each. Medians: between two
events, with the host's launches hidden behind a pause of the GPU that is not counted; calls: the
wall clock of a call and the wait for its end, launches included. A copy of the same logits tells
what the memory can do; what fits into the GPU's cache is partly read from there by all.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from statistics import median
from typing import Any

import torch

from benchmarks.measurement import Contestant, by, interleaved, write_results
from benchmarks.statistics_contestants import Case, Contestants, ours, plain_torch
from ftcore import ops

TARGET = "benchmarks/results/statistics_gpu.json"
CASES = (
    Case((65536, 10)),
    Case((16384, 1000)),
    Case((2048, 32000)),
    Case((8, 21, 256, 256), dim=1, ignores=True),
    Case((1 << 20, 10)),
    Case((131072, 1000)),
    Case((16384, 32000)),
)
DTYPES = (torch.float32, torch.bfloat16)
PATIENCE = 1.0  # seconds; the reference launches thousands of small kernels
PAUSE = 4_000_000  # cycles, some two milliseconds


def contestants(case: Case, dtype: torch.dtype) -> Contestants:
    """Name what runs on this case, and the copy that it is measured against."""
    logits, targets = case.batch(dtype, "cuda")
    yield from ours(case, logits, targets)
    copy = torch.empty_like(logits)
    yield "copy", lambda: copy.copy_(logits)
    yield from plain_torch(case, logits, targets)


def runnable(candidates: Contestants) -> Contestants:
    """Leave out who cannot run here, and say why, so that the others are measured all the same."""
    for name, function in candidates:
        try:
            function()
        except Exception as error:  # a border: a peer out of memory, or without its compiler
            print(f"{name} is left out: {type(error).__name__}: {error}", file=sys.stderr)
        else:
            yield name, function


def gpu_seconds(function: Contestant) -> float:
    """Return the seconds that the GPU takes for a call."""
    start, end = (
        torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        for _ in range(2)
    )
    torch.cuda._sleep(PAUSE)  # type: ignore[no-untyped-call]
    start.record()
    function()
    end.record()
    end.synchronize()
    milliseconds: float = start.elapsed_time(end)
    return 1e-3 * milliseconds


def wait(function: Contestant) -> Contestant:
    """Return what calls `function` and waits for the GPU."""

    def call() -> None:
        function()
        torch.cuda.synchronize()

    return call


def summary(
    case: Case, dtype: torch.dtype, gpu: Mapping[str, float], call: Mapping[str, float]
) -> dict[str, Any]:
    """Return one row of the results, from the median seconds of each contestant."""
    size = torch.Size(case.shape).numel() * dtype.itemsize
    first = next(iter(gpu))
    copy_rate = 2 * size / gpu["copy"]  # bytes read and bytes written
    return {
        "shape": case.shape,
        "dtype": str(dtype).removeprefix("torch."),
        "logits_mb": size / 1e6,
        "clock": "gpu",
        "median_ms": {name: 1e3 * value for name, value in gpu.items()},
        "call_ms": {name: 1e3 * value for name, value in call.items()},
        "times_as_long": {name: value / gpu[first] for name, value in gpu.items()},
        "copy_gb_per_s": copy_rate / 1e9,
        "gb_per_s": {name: size / value / 1e9 for name, value in gpu.items() if name != "copy"},
        "share_of_copy": size / gpu[first] / copy_rate,
    }


def measure(case: Case, dtype: torch.dtype) -> dict[str, Any]:
    functions = dict(runnable(contestants(case, dtype)))
    gpu = interleaved(functions, gpu_seconds, PATIENCE)
    waiting = {name: wait(function) for name, function in functions.items()}
    call = interleaved(waiting, by(time.perf_counter), PATIENCE)
    return summary(case, dtype, medians(gpu), medians(call))


def medians(times: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: median(values) for name, values in times.items()}


def device() -> dict[str, Any]:
    properties = torch.cuda.get_device_properties()
    return {
        "gpu": properties.name,
        "multiprocessors": properties.multi_processor_count,
        "gpu_memory_gb": properties.total_memory / 1e9,
        "gpu_cache_mb": properties.L2_cache_size / 1e6,
        "cuda": torch.version.cuda,
        "ftcore kernel": str(ops.cuda_kernel()),
    }


def line(row: Mapping[str, Any]) -> str:
    times = ", ".join(f"{name} {value:.3g}" for name, value in row["median_ms"].items())
    return f"{row['shape']} {row['dtype']}: {row['share_of_copy']:.0%} of a copy; ms: {times}"


def main() -> int:
    if not torch.cuda.is_available():
        print("there is no GPU to measure on", file=sys.stderr)
        return 1
    target, rows = (sys.argv[1:] or [TARGET])[0], []
    for case in CASES:
        for dtype in DTYPES:
            rows.append(measure(case, dtype))
            print(line(rows[-1]), flush=True)
            write_results(target, rows, device())  # each time: there may be a limit on ours
            torch.cuda.empty_cache()
    return 0


if __name__ == "__main__":
    sys.exit(main())
