"""What a study of 5 folds and 3 seeds costs beside a single run, both from an empty cache.

ResNet-18, bottom frozen, on 10,000 training images of Fashion-MNIST (real images; the weights are
drawn at random and kept in a file, for the time does not depend on them). Rounds alternate; CPU
time is that of the process and what it starts.

    python -m benchmarks.bench_study --rounds 3
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.measurement import host

EXAMPLES, FOLDS, SEEDS = 10_000, 5, 3


def make_weights(path: Path) -> None:
    import torchvision
    from safetensors.torch import save_file

    torch.manual_seed(0)
    save_file(torchvision.models.resnet18(weights=None).state_dict(), path)


def measure(arguments: list[str], cache: Path) -> dict[str, float]:
    """Run ftcore with an empty cache; return wall and CPU seconds."""
    environment = {**os.environ, "FTCORE_CACHE_DIR": str(cache)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "ftcore", *arguments, "-q"],
        env=environment, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall_s": wall, "cpu_s": cpu}


def measure_both(folder: Path, data: Path) -> dict[str, dict[str, float]]:
    weights = folder / "weights.safetensors"
    if not weights.exists():
        make_weights(weights)
    common = ["--backbone", "resnet18", "--weights", str(weights), "--freeze", "bottom"]
    common += ["--dataset", f"fashion-mnist:root={data}", "--limit", str(EXAMPLES)]
    commands = {
        "run": ["run", *common, "--fold", f"1/{FOLDS}"],
        "study": ["study", *common, "--folds", str(FOLDS), "--seeds", str(SEEDS)],
    }
    found = {}
    for name, command in commands.items():
        with tempfile.TemporaryDirectory(dir=folder) as own:
            cache, out = Path(own) / "cache", Path(own) / "runs"
            found[name] = measure([*command, "--out", str(out)], cache)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/study.json"))
    arguments = parser.parse_args()
    data = Path(os.environ["FTCORE_TEST_DATA"]) / "fashion-mnist"
    with tempfile.TemporaryDirectory() as folder:
        rounds = [measure_both(Path(folder), data) for _ in range(arguments.rounds)]
    results: dict[str, Any] = {
        "host": host(),
        "examples": EXAMPLES,
        "folds": FOLDS,
        "seeds": SEEDS,
        "rounds": rounds,
        "cpu_ratio": median(each["study"]["cpu_s"] / each["run"]["cpu_s"] for each in rounds),
        "wall_ratio": median(each["study"]["wall_s"] / each["run"]["wall_s"] for each in rounds),
    }
    print(json.dumps(results, indent=1))
    arguments.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
