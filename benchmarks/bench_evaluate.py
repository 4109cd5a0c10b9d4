"""`ftcore evaluate --logits` on files of growing size: time, and the peak of its memory.

Beside each is the time of reading the same file once and doing nothing with it, in blocks of the
same size. "cold" means that the page cache was asked to let go of the file (posix_fadvise,
DONTNEED), "warm" that the file had just been read. Each evaluation is a process of its own, so its
time includes importing torch, and its memory what torch takes when it is imported, which is
measured as well. The files are made up, and removed afterwards: 4 GB for a million rows.

    python -m benchmarks.bench_evaluate --folder /tmp --rows 10000 --rows 1000000
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.measurement import host
from ftcore.engine.stored import BLOCK

ROUNDS = 3
SECONDS = ("wall_s", "cpu_s", "scoring_s", "intervals_s")
ROWS = (10_000, 100_000, 1_000_000)
GAIN = 3.5  # added to the logit of the target: with 1,000 classes about 60 % are then right
TARGET = Path(__file__).parent / "results" / "evaluate.json"


def make_files(folder: Path, rows: int, classes: int) -> tuple[Path, Path]:
    """Write logits (rows, classes) in float32 and targets (rows,), a block at a time."""
    generator = np.random.default_rng(0)
    targets = generator.integers(classes, size=rows)
    logits = folder / "logits.npy"
    header = {"descr": "<f4", "fortran_order": False, "shape": (rows, classes)}
    with logits.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, rows, 2000):
            chosen = targets[start : start + 2000]
            block = generator.standard_normal((len(chosen), classes), dtype=np.float32)
            block[np.arange(len(chosen)), chosen] += GAIN
            file.write(block.data)
        file.flush()
        os.fsync(file.fileno())
    np.save(folder / "targets.npy", targets)
    return logits, folder / "targets.npy"


def forget(path: Path) -> None:
    """Ask the page cache to let go of a file that is wholly on the disk."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_once(path: Path) -> float:
    """Return the seconds that reading all of it takes, into one buffer."""
    buffer = bytearray(4 * BLOCK)
    start = time.perf_counter()
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
    return time.perf_counter() - start


def measure(command: Sequence[str]) -> dict[str, Any]:
    """Run a process; return its wall and CPU seconds, its peak in MiB, and what it printed."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return {
        "wall_s": time.perf_counter() - start,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage.ru_maxrss / 1024,
        "printed": printed,
    }


def evaluate(logits: Path, targets: Path) -> dict[str, Any]:
    """Return what one evaluation took, as a whole and by step."""
    files = ["--logits", str(logits), "--targets", str(targets)]
    taken = measure([sys.executable, "-m", "ftcore", "evaluate", *files, "--json", "-q"])
    record = json.loads(taken.pop("printed"))
    seconds = record["timings"]["test"]
    return taken | {
        "scoring_s": seconds,
        "intervals_s": record["timings"]["intervals"],
        "scoring_gb_per_s": record["logits"]["bytes"] / 1e9 / seconds,
        "accuracy": record["metrics"]["accuracy"]["value"],
    }


def measure_size(folder: Path, rows: int, classes: int) -> dict[str, Any]:
    """Return what reading and evaluating so many rows takes, each with a cold and a warm cache."""
    logits, targets = make_files(folder, rows, classes)
    taken: dict[str, list[dict[str, Any]]] = {"cold": [], "warm": []}
    reading: dict[str, list[float]] = {"cold": [], "warm": []}
    for _ in range(ROUNDS):
        forget(logits)
        reading["cold"].append(read_once(logits))
        reading["warm"].append(read_once(logits))
        taken["warm"].append(evaluate(logits, targets))
        forget(logits)
        taken["cold"].append(evaluate(logits, targets))
    row: dict[str, Any] = {"rows": rows, "classes": classes, "bytes": logits.stat().st_size}
    for cache, runs in taken.items():
        row[cache] = {key: median(run[key] for run in runs) for key in runs[0]}
        row[cache]["best"] = {
            key: min(run[key] for run in runs) for key in runs[0] if key in SECONDS
        }
        row[cache]["reading_s"] = median(reading[cache])
        row[cache]["best_reading_s"] = min(reading[cache])
    logits.unlink()
    return row


def time_run() -> dict[str, Any]:
    """Return the seconds of each step of the README's first run."""
    options = ["run", "--backbone", "resnet18", "--freeze", "bottom"]
    with tempfile.TemporaryDirectory() as folder:
        quiet = [*options, "--out", folder, "--json", "--quiet"]
        done = measure([sys.executable, "-m", "ftcore", *quiet])
    timings = json.loads(done["printed"])["timings"]
    return {"command": " ".join(["ftcore", *options]), "timings": timings}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--rows", type=int, action="append")
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=TARGET)
    options = parser.parse_args()
    rows = []
    for count in options.rows or ROWS:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            rows.append(measure_size(Path(folder), count, options.classes))
        print(json.dumps(rows[-1], indent=1), flush=True)
    imported = measure([sys.executable, "-c", "import torch"])
    content = {
        "host": host(),
        "rounds": ROUNDS,
        "dtype": "float32",
        "block_bytes": 4 * BLOCK,
        "import_torch": {"wall_s": imported["wall_s"], "peak_mib": imported["peak_mib"]},
        "run": time_run(),
        "rows": rows,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
