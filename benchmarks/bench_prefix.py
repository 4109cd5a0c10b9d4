"""Images a second of a frozen prefix: its stages themselves, and what `accelerate` makes of them.

Contestants take turns, all in one process. On one thread the clock counts the CPU's time, which
neighbours on the machine hardly change; on more it is the wall's, so that only the best round of
a busy machine means anything there. `ready_s` is the time from the stages to the first outputs,
compilation (from empty caches) included. Weights are random, which costs the same.

    OMP_NUM_THREADS=1 python -m benchmarks.bench_prefix --compiled --profile
    OMP_NUM_THREADS=1 python -m benchmarks.bench_prefix --backbone densenet121 --backbone vit_b_16
"""

from __future__ import annotations

import argparse
import os
import time
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from benchmarks.measurement import Contestant, by, interleaved, write_results
from ftcore.engine.device import Machine, has_native_bf16
from ftcore.engine.prefix import FastPrefix, accelerate
from ftcore.plugins import plugin_manager

CPU = torch.device("cpu")
PROBE = 2
BATCHES = (8, 16, 32, 64, 128)
TARGET = Path(__file__).parent / "results" / "prefix.json"


def make_prefix(name: str, size: int) -> nn.Sequential:
    context = {"weights": "none", "image_size": size}
    stages = plugin_manager().create("backbones", name, context).stages
    return nn.Sequential(OrderedDict((stage.name, stage.module) for stage in stages)).eval()


def ways(compiled: bool) -> Iterator[tuple[str, str, Machine]]:
    """Yield what to measure: its name, the way of `accelerate`, and the machine."""
    for precision in ("fp32", "bf16"):
        plain = Machine(CPU, precision, torch.contiguous_format)
        yield f"plain {precision}", "plain", plain
        yield (
            f"plain channels_last {precision}",
            "plain",
            replace(plain, layout=torch.channels_last),
        )
        yield f"folded {precision}", "folded", plain
        if compiled:
            yield f"compiled {precision}", "compiled", plain


def prepare(
    prefix: nn.Sequential, way: tuple[str, str, Machine], images: Tensor
) -> tuple[FastPrefix, float]:
    """Return one contestant, and the seconds until it had computed the probe."""
    _, how, machine = way
    given = prefix.to(memory_format=machine.layout) if how == "plain" else prefix
    start = time.perf_counter()
    fast = accelerate(given, machine, how, images[:PROBE])
    return fast, time.perf_counter() - start


def measure(
    name: str, size: int, threads: int, batches: tuple[int, ...], compiled: bool
) -> list[dict[str, Any]]:
    """Return a row for each contestant and batch size; 0 stands for the one that ftcore chooses."""
    torch.set_num_threads(threads)
    images = torch.randn(max(*batches, 8 * threads), 3, size, size)
    rows: list[dict[str, Any]] = []
    functions: dict[str, Contestant] = {}
    for way in ways(compiled):
        # A prefix each, since the layout of the stages themselves differs.
        fast, ready = prepare(make_prefix(name, size), way, images)
        for batch in batches if way[0].startswith("folded") else batches[:1]:
            count = batch or fast.batch_size
            part = images[:count].contiguous(memory_format=fast.machine.layout)
            functions[str(len(rows))] = lambda fast=fast, part=part: fast(part)  # type: ignore[misc]
            rows.append(
                {
                    "backbone": name,
                    "size": size,
                    "threads": threads,
                    "way": way[0],
                    "batch": count,
                    "chosen": batch == 0,
                    "difference": fast.difference,
                    "folded": len(fast.folded),
                    "ready_s": ready,
                }
            )
    clock = time.process_time if threads == 1 else time.perf_counter
    for key, times in interleaved(functions, by(clock)).items():
        row = rows[int(key)]
        row["clock"] = "cpu" if threads == 1 else "wall"
        row["images_per_s"] = row["batch"] / median(times)
        row["best_images_per_s"] = row["batch"] / min(times)
        print(row, flush=True)
    return rows


def measure_apart(name: str, size: int, threads: int) -> dict[str, Any]:
    """Return what a batch of its own for each thread brings, none of which waits for another."""
    torch.set_num_threads(1)
    machine = Machine(CPU, "fp32", torch.contiguous_format)
    images = torch.randn(8, 3, size, size)
    fast = accelerate(make_prefix(name, size), machine, "folded", images[:PROBE])
    part = images[: fast.batch_size].contiguous(memory_format=torch.channels_last)
    with ThreadPoolExecutor(threads, initializer=lambda: torch.set_num_threads(1)) as pool:
        run = {"apart": lambda: list(pool.map(lambda _: fast(part), range(2 * threads)))}
        times = interleaved(run, by(time.perf_counter))["apart"]
    count = 2 * threads * len(part)
    row: dict[str, Any] = {"backbone": name, "size": size, "threads": threads, "clock": "wall"}
    row |= {"way": "folded fp32, a batch a thread", "batch": len(part)}
    row |= {"images_per_s": count / median(times), "best_images_per_s": count / min(times)}
    print(row, flush=True)
    return row


def shares(name: str, size: int, precision: str) -> dict[str, Any]:
    """Return which part of the time the operators take, on one thread."""
    torch.set_num_threads(1)
    images = torch.randn(8, 3, size, size)
    machine = Machine(CPU, precision, torch.contiguous_format)
    fast = accelerate(make_prefix(name, size), machine, "folded", images)
    with profile(activities=[ProfilerActivity.CPU]) as found:
        fast(images)
    taken = {event.key: event.self_cpu_time_total for event in found.key_averages()}
    total = sum(taken.values())
    top = sorted(taken, key=lambda key: taken[key], reverse=True)[:6]
    row = {"backbone": name, "profile": f"folded {precision}"}
    return row | {"shares": {key: taken[key] / total for key in top}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", action="append")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--threads", type=int, action="append")
    parser.add_argument("--batches", action="store_true", help="other batch sizes as well")
    parser.add_argument("--compiled", action="store_true")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--out", default=str(TARGET))
    options = parser.parse_args()
    os.environ.setdefault("TORCHINDUCTOR_FORCE_DISABLE_CACHES", "1")
    rows: list[dict[str, Any]] = []
    batches = (0, *BATCHES) if options.batches else (0,)
    for name in options.backbone or ["resnet18"]:
        for threads in options.threads or [1]:
            rows += measure(name, options.size, threads, batches, options.compiled)
            if threads > 1:
                rows.append(measure_apart(name, options.size, threads))
        if options.profile:
            rows += [shares(name, options.size, precision) for precision in ("fp32", "bf16")]
    write_results(options.out, rows, {"native_bf16": has_native_bf16(CPU)})


if __name__ == "__main__":
    main()
