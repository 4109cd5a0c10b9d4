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
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from benchmarks.measurement import Contestant, by, interleaved, write_results
from ftcore.engine.device import Machine, has_native_bf16
from ftcore.engine.prefix import LARGEST_BATCH, FastPrefix, accelerate
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


Entry: TypeAlias = tuple[dict[str, Any], Contestant]


def enter(
    name: str, size: int, batches: tuple[int, ...], way: tuple[str, str, Machine]
) -> Iterator[Entry]:
    """Yield an entry for each batch size; 0 stands for the one that ftcore chooses."""
    images = torch.randn(max(*batches, LARGEST_BATCH), 3, size, size)
    # Stages of its own, since the layout of plain ones differs.
    fast, ready = prepare(make_prefix(name, size), way, images)
    about = {"backbone": name, "size": size, "threads": torch.get_num_threads()}
    found = {"difference": fast.difference, "folded": len(fast.folded), "ready_s": ready}
    for batch in batches:
        count = batch or fast.batch_size
        row = about | {"way": way[0], "batch": count, "chosen": batch == 0} | found
        yield row, call(fast, images[:count])
    if way[0].startswith("folded") and torch.get_num_threads() > 1:
        row = about | {"way": f"{way[0]}, a batch a thread", "batch": fast.batch_size} | found
        yield row, call_apart(fast, images[: fast.batch_size], torch.get_num_threads())


def call(fast: FastPrefix, images: Tensor) -> Contestant:
    images = images.contiguous(memory_format=fast.machine.layout)
    return lambda: fast(images)


def call_apart(fast: FastPrefix, images: Tensor, threads: int) -> Contestant:
    """Return what computes a share of the images on each thread; none waits for another."""
    pool = ThreadPoolExecutor(threads, initializer=lambda: torch.set_num_threads(1))
    layout = fast.machine.layout
    parts = [part.contiguous(memory_format=layout) for part in images.chunk(threads)]
    return lambda: list(pool.map(fast, parts))


def measure(
    name: str, size: int, threads: int, batches: tuple[int, ...], compiled: bool
) -> list[dict[str, Any]]:
    """Return a row for each contestant."""
    torch.set_num_threads(threads)
    entries: list[Entry] = []
    for way in ways(compiled):
        entries += enter(name, size, batches if way[1] == "folded" else batches[:1], way)
    functions = {str(index): function for index, (_, function) in enumerate(entries)}
    clock = time.process_time if threads == 1 else time.perf_counter
    times = interleaved(functions, by(clock))
    for index, (row, _) in enumerate(entries):
        taken = times[str(index)]
        row["clock"] = "cpu" if threads == 1 else "wall"
        row["images_per_s"] = row["batch"] / median(taken)
        row["best_images_per_s"] = row["batch"] / min(taken)
        print(row, flush=True)
    return [row for row, _ in entries]


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
        if options.profile:
            rows += [shares(name, options.size, precision) for precision in ("fp32", "bf16")]
    write_results(options.out, rows, {"native_bf16": has_native_bf16(CPU)})


if __name__ == "__main__":
    main()
