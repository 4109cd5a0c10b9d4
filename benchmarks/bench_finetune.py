"""The same fine-tuning job by ftcore and its peers: time, memory, accuracy.

In each round every contestant trains one epoch and evaluates it, in one process, in an order that
is rotated from round to round. ftcore also does all epochs in each round, plain PyTorch does once,
and with --whole the others too; without it, their setup and epochs are added up, and the result
says so. The peak of memory is that of
an epoch of few images in a process of its own. The images come from the folder of test data
that FTCORE_TEST_DATA names, and the weights are random: the accuracy is that of random features.

    python -m benchmarks.bench_finetune --rounds 3
    python -m benchmarks.bench_finetune --images 40 --rounds 1 --epochs 2 --out /tmp/finetune.json
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.finetune.clock import Taken, timed
from benchmarks.finetune.contestants import CONTESTANTS, Contestant
from benchmarks.finetune.job import DATA, Job, make_images, make_weights
from benchmarks.measurement import host, installed

TARGET = Path(__file__).parent / "results" / "finetune.json"
VERSIONS = (
    "torch",
    "torchvision",
    "transformers",
    "accelerate",
    "lightning",
    "fastai",
    "timm",
    "ftcore",
)
WARM_IMAGES = 40  # of a first epoch that is not counted: imports, and what libraries set up once
PEAK_IMAGES = 160  # five batches; no contestant holds more when there are more
NOTES = (
    "weights are random, of a fixed seed: accuracies are those of random features",
    "images are CIFAR-10's, PNG files of 32 pixels a side, enlarged to 224 by each loader",
    "optimizer is AdamW at a constant rate; ftcore has its default schedule, cosine with warm-up",
    "ftcore sets a tenth of the training images apart, by which it chooses the epoch",
    "an epoch of ftcore is a whole run of one epoch, with setup, frozen features and intervals",
    "peak_mib is that of the main process, without the workers of fastai and timm",
)


@dataclass
class Taking:
    """What was measured of one contestant."""

    setup: list[Taken] = field(default_factory=list)
    epoch: list[Taken] = field(default_factory=list)
    whole: list[Taken] = field(default_factory=list)
    accuracy_of_one: float = 0.0
    accuracy_of_all: float | None = None

    def measure(self, contestant: Contestant, job: Job, *, is_whole: bool = False) -> None:
        """Do the job once, for one epoch or for all that it asks for."""
        gc.collect()  # ends the workers of loaders that are done with
        asked = job if is_whole else replace(job, epochs=1)
        fit, setup = timed(lambda: contestant.prepare(asked))
        accuracy, taken = timed(fit)
        if is_whole:
            self.whole.append(Taken(setup.wall_s + taken.wall_s, setup.cpu_s + taken.cpu_s))
            self.accuracy_of_all = accuracy
        else:
            self.setup.append(setup)
            self.epoch.append(taken)
            self.accuracy_of_one = accuracy

    def to_json(self, epochs: int) -> dict[str, Any]:
        """Return medians, and all epochs added up where they were not run."""
        setup, epoch = middle(self.setup), middle(self.epoch)
        whole = middle(self.whole) if self.whole else None
        return {
            "setup": setup,
            "epoch": epoch | {"each_wall_s": [taken.wall_s for taken in self.epoch]},
            "whole": (whole or {key: setup[key] + epochs * epoch[key] for key in epoch})
            | {"is_extrapolated": whole is None},
            "accuracy_after_one_epoch": self.accuracy_of_one,
            "accuracy": self.accuracy_of_all,
        }


def middle(takings: Sequence[Taken]) -> dict[str, float]:
    return {key: median(asdict(taken)[key] for taken in takings) for key in ("wall_s", "cpu_s")}


def measure_peak(name: str, job: Job) -> float:
    """Return the peak in MiB of one epoch in a process of its own, the lesser of two.

    What is kept between runs, such as features, is there in the second.
    """
    command = [sys.executable, "-m", "benchmarks.finetune", name]
    arguments = [str(job.folder), str(job.weights), "1"]
    peaks = []
    for _ in range(2):
        done = subprocess.run([*command, *arguments], stdout=subprocess.PIPE, text=True, check=True)
        peaks.append(float(json.loads(done.stdout.splitlines()[-1])["peak_mib"]))
    return min(peaks)


def rotated(names: Sequence[str], by: int) -> list[str]:
    return [*names[by % len(names) :], *names[: by % len(names)]]


def take_rounds(
    names: Sequence[str], job: Job, rounds: int, *, all_whole: bool
) -> Iterator[dict[str, Taking]]:
    """Measure one epoch of every contestant in each round, and all epochs of some, or of all.

    Yields what was measured so far after each round.
    """
    takings = {name: Taking() for name in names}
    for count in range(rounds):
        for name in rotated(names, count):
            contestant, taking = CONTESTANTS[name], takings[name]
            taking.measure(contestant, job)
            is_once = all_whole or contestant.whole == "once"
            if contestant.whole == "each round" or (is_once and count == 0):
                taking.measure(contestant, job, is_whole=True)
            print(f"round {count + 1}, {name}: {taking.epoch[-1].wall_s:.1f} s", file=sys.stderr)
        yield takings


@contextmanager
def made_job(images: int, epochs: int, weights: Path, data: Path) -> Iterator[Job]:
    """Make a job with images of its own, which are removed in the end."""
    with tempfile.TemporaryDirectory() as folder:
        job = Job(Path(folder) / "images", weights, epochs)
        job.scratch.mkdir()
        make_images(job.folder, images, data)
        yield job


def measure(
    names: Sequence[str], options: argparse.Namespace, weights: Path
) -> Iterator[dict[str, Any]]:
    """Yield the results so far after each round, which takes minutes."""
    with made_job(min(options.images, PEAK_IMAGES), 1, weights, options.data) as job:
        peaks = {name: measure_peak(name, job) for name in names}
    with made_job(WARM_IMAGES, 1, weights, options.data) as job:
        for name in names:
            CONTESTANTS[name].prepare(job)()
    with made_job(options.images, options.epochs, weights, options.data) as job:
        parts = take_rounds(names, job, options.rounds, all_whole=options.whole)
        for count, takings in enumerate(parts, start=1):
            rows = [
                {"contestant": name, "does": CONTESTANTS[name].does, "peak_mib": peaks[name]}
                | taking.to_json(options.epochs)
                for name, taking in takings.items()
            ]
            yield describe(options, job) | {"rounds": count, "rows": rows}


def describe(options: argparse.Namespace, job: Job) -> dict[str, Any]:
    return {
        "host": host(VERSIONS),
        "threads": torch.get_num_threads(),
        "epochs": options.epochs,
        "images": {"train": options.images, "test": options.images // 4},
        "peak_images": min(options.images, PEAK_IMAGES),
        "job": {key: value for key, value in asdict(job).items() if not isinstance(value, Path)},
        "notes": NOTES,
    }


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=1000, help="to train on, 40 at least")
    parser.add_argument("--only", action="append", choices=CONTESTANTS, help="may be repeated")
    parser.add_argument("--whole", action="store_true", help="run all epochs of every contestant")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of test data")
    parser.add_argument("--out", type=Path, default=TARGET)
    options = parser.parse_args()
    if options.images % 40 or options.images <= 0:
        parser.error(f"--images is {options.images}; give a multiple of 40, for ten equal classes")
    return options


def main() -> None:
    options = parse()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # warns where loaders fork
    asked = options.only or list(CONTESTANTS)
    names = [name for name in asked if installed(CONTESTANTS[name].library)]
    for name in sorted(set(asked) - set(names)):
        print(f"{name}: {CONTESTANTS[name].library} is not installed", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        weights = Path(folder) / "resnet18.pth"
        make_weights(weights)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        for content in measure(names, options, weights):
            options.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
