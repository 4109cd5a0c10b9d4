"""Stop a run at random moments with SIGTERM and SIGKILL, resume it, and compare the bytes.

Prints JSON and exits 1 unless every run ends with the bytes of an uninterrupted one. The network
is small, has BatchNorm and dropout, and starts from random weights; images are noise.

    python benchmarks/attack_resume.py --points 20
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

# Read by torch when it is imported, here, before the processes are forked.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torchvision  # noqa: F401
from PIL import Image

from ftcore import api as api  # what a run imports, before the processes are forked
from ftcore.cli import main as ftcore

FILES = ("model.safetensors", "predictions.safetensors", "metrics.jsonl")
SIGNALS = (signal.SIGTERM, signal.SIGKILL)


def make_photos(folder: Path) -> None:
    generator = np.random.default_rng(0)
    for part, count in (("train", 40), ("test", 40)):
        for name in ("ant", "bee"):
            (folder / part / name).mkdir(parents=True)
            for index in range(count):
                pixels = generator.integers(0, 256, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / part / name / f"{index}.png")


def in_child(arguments: list[str], kill_after: float, number: int) -> int:
    """Run ftcore in a forked process, signal it after so many seconds; return how it ended."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        os._exit(ftcore(arguments))
    deadline = time.monotonic() + kill_after
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, number)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def digests(run: Path) -> list[str]:
    return [hashlib.sha256((run / name).read_bytes()).hexdigest() for name in FILES]


def command(photos: Path, runs: Path) -> list[str]:
    """What starts a run in `runs`, or goes on with the one that is there."""
    for run in runs.iterdir() if runs.exists() else ():
        return ["run", "--resume", str(run), "-q"]
    options = ["--backbone", "shufflenet_v2_x0_5", "--weights", "none", "--freeze", "top:2"]
    options += ["--image-size", "32"]
    options += ["--dataset", f"folder:path={photos}", "--augment", "flip", "--lr", "0.01"]
    options += ["--epochs", "4", "--batch-size", "8", "--out", str(runs), "-q"]
    return ["run", *options]


def attack(points: int, folder: Path) -> dict[str, object]:
    photos = folder / "photos"
    make_photos(photos)
    begin = time.monotonic()
    assert in_child(command(photos, folder / "whole"), 600, signal.SIGKILL) == 0
    duration = time.monotonic() - begin
    (whole,) = (folder / "whole").iterdir()
    chance = random.Random(0)
    ends: Counter[str] = Counter()
    same = 0
    for point in range(points):
        runs = folder / f"stopped-{point}"
        number = SIGNALS[point % 2]
        code = in_child(command(photos, runs), chance.uniform(0, duration), number)
        while code != 0:
            ends[f"{number.name}: exit {code}"] += 1
            code = in_child(command(photos, runs), chance.uniform(0, 2 * duration), number)
        (run,) = runs.iterdir()
        same += digests(run) == digests(whole)
    return {"points": points, "same bytes": same, "stops": dict(ends), "run seconds": duration}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = attack(options.points, Path(folder))
    print(json.dumps(result, indent=2))
    return 0 if result["same bytes"] == options.points else 1


if __name__ == "__main__":
    sys.exit(main())
