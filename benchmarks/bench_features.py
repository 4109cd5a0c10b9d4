"""What features cost as the examples grow: time to compute, to find again, memory and disk.

    python -m benchmarks.bench_features --out benchmarks/results/features.json

A run of one epoch with the bottom of ResNet-18 frozen, at random weights, on made-up images of 32
pixels; each size in a process of its own, with an empty cache and once again. Memory is what the
resident set's peak grows by from before the run, with the images in memory already.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.measurement import forget_peak, peak_mib, write_results
from ftcore.api.composition import compose
from ftcore.config import RunConfig
from ftcore.engine.directory import RunDirectory
from ftcore.engine.observer import Observer
from ftcore.engine.partition import complete_splits
from ftcore.engine.parts import RunParts
from ftcore.engine.preparation import prepare
from ftcore.engine.run import run
from ftcore.images.splits import ArraySplit
from ftcore.interfaces import DataBundle
from ftcore.plugins import plugin_manager
from ftcore.record import Record

SIZES = (1_000, 10_000, 50_000)
PIXELS, CLASSES = 32, 10


def make_parts(count: int, folder: Path) -> RunParts:
    """Return a run on `count` made-up images, with the bottom frozen and its features on disk."""
    generator = torch.Generator().manual_seed(count)
    images = torch.randint(256, (count, 3, PIXELS, PIXELS), generator=generator, dtype=torch.uint8)
    ids = [str(index) for index in range(count)]
    split = ArraySplit(images, torch.arange(count) % CLASSES, ids)
    classes = tuple("0123456789")
    bundle = DataBundle("made-up", "classification", {"train": split}, classes, (PIXELS, PIXELS))
    options = {"weights": "none", "image_size": PIXELS, "epochs": 1, "cache": "disk", "out": folder}
    parts = compose(RunConfig.parse(options), plugin_manager())
    return replace(parts, bundle=complete_splits(bundle, 0))


def timed_run(parts: RunParts) -> tuple[Record, float]:
    start = time.perf_counter()
    prepared = prepare(parts, Observer())
    record = run(prepared, RunDirectory.create(prepared.parts.config), Observer())
    return record, time.perf_counter() - start


def measure(count: int) -> dict[str, Any]:
    """Return what runs on `count` images took, without and with their features on disk."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FTCORE_CACHE_DIR"] = folder
        timed_run(make_parts(200, Path(folder)))  # the libraries' own buffers
        parts = make_parts(count, Path(folder))
        forget_peak()
        before = peak_mib()
        first, seconds = timed_run(parts)
        extra = peak_mib() - before
        again, seconds_again = timed_run(parts)
    (computed,), (found,) = first.features, again.features
    assert (computed.found, found.computed) == (0, 0)
    return {
        "images": count,
        "pixels": PIXELS,
        "threads": torch.get_num_threads(),
        "features_s": first.timings["frozen features"],
        "images_per_s": count / computed.seconds,
        "run_s": seconds,
        "run_again_s": seconds_again,
        "features_again_s": again.timings["frozen features"],
        "features_mib": computed.bytes / 2**20,
        "extra_memory_mib": extra,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="", help="JSON file to write")
    parser.add_argument("--images", type=int, help="measure this size alone, and print it")
    options = parser.parse_args()
    if options.images:
        print(json.dumps(measure(options.images)))
        return
    rows = []
    for count in SIZES:
        command = [sys.executable, "-m", "benchmarks.bench_features", "--images", str(count)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout))
        print(rows[-1], flush=True)
    write_results(options.out, rows)


if __name__ == "__main__":
    main()
