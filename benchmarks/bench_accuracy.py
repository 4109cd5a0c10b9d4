"""Accuracy of a plain PyTorch script and of ftcore, at the same settings, over several seeds.

MobileNetV2 with ImageNet weights, its bottom frozen, on the ants and bees of PyTorch's tutorial,
which come from the folder of test data that FTCORE_TEST_DATA names. A seed gives the new head
and the order of the examples. The script trains on all 244 examples and keeps the last epoch;
ftcore sets a tenth of them apart, and keeps the epoch that is best there.

    python -m benchmarks.bench_accuracy
    python -m benchmarks.bench_accuracy --seeds 2 --epochs 1 --size 64 --out /tmp/accuracy.json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from scipy.stats import t

from benchmarks.finetune import ftcore_run, plain
from benchmarks.finetune.job import DATA, Job
from benchmarks.measurement import host

TARGET = Path(__file__).parent / "results" / "finetune_accuracy.json"
WEIGHTS = Path("weights") / "imagenet" / "mobilenet_v2_tf2ptq-0742dba5.pth"
LEVEL = 0.95
CONTESTANTS = {
    "plain PyTorch, BatchNorm in train mode": plain.prepare,
    "plain PyTorch, BatchNorm in eval mode": plain.prepare_in_eval_mode,
    "ftcore": ftcore_run.prepare_again,
}


def link_photographs(data: Path, folder: Path) -> dict[str, int]:
    """Return how many there are; the tutorial's val part is called test, which it serves as.

    A GIF that says "image not found" is left out: torchvision passes it over, ftcore does not.
    """
    source = data.resolve() / "hymenoptera" / "hymenoptera_data"
    if not source.is_dir():
        raise SystemExit(f"there is no {source}; set FTCORE_TEST_DATA to the folder of test data")
    counts = {}
    for part, name in (("train", "train"), ("test", "val")):
        files = sorted((source / name).glob("*/*"))
        photographs = [path for path in files if path.suffix.lower() != ".gif"]
        for path in photographs:
            link = folder / part / path.parent.name / path.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
        counts[part] = len(photographs)
    return counts


def summary(name: str, scores: Sequence[float]) -> dict[str, Any]:
    """Return the mean, and Student's interval of it, over the seeds."""
    half = t.ppf((1 + LEVEL) / 2, len(scores) - 1) * stdev(scores) / len(scores) ** 0.5
    middle = mean(scores)
    return {
        "contestant": name,
        "each": list(scores),
        "mean": middle,
        "low": middle - half,
        "high": middle + half,
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="2 at least")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of test data")
    parser.add_argument("--out", type=Path, default=TARGET)
    options = parser.parse_args()
    if options.seeds < 2:
        parser.error(f"--seeds is {options.seeds}; an interval over seeds needs 2 at least")
    return options


def measure(job: Job, seeds: int) -> list[dict[str, Any]]:
    scores: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    for seed in range(seeds):
        for name, prepare in CONTESTANTS.items():
            scores[name].append(prepare(replace(job, seed=seed))())
            print(f"seed {seed}, {name}: {scores[name][-1]:.4f}", file=sys.stderr)
    return [summary(name, each) for name, each in scores.items()]


def main() -> None:
    options = parse()
    with tempfile.TemporaryDirectory() as root:
        job = Job(
            Path(root) / "images",
            options.data / WEIGHTS,
            options.epochs,
            arch="mobilenet_v2",
            classes=2,
            size=options.size,
            rate=options.rate,
            schedule="constant",
        )
        job.scratch.mkdir()
        counts = link_photographs(options.data, job.folder)
        rows = measure(job, options.seeds)
    settings = {key: value for key, value in asdict(job).items() if not isinstance(value, Path)}
    content = {
        "host": host(("torch", "torchvision", "ftcore")),
        "seeds": options.seeds,
        "level": LEVEL,
        "images": counts,
        "weights": WEIGHTS.name,
        "job": settings | {"seed": list(range(options.seeds))},
        "rows": rows,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
