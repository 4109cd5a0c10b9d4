"""The job that every contestant does, and the images and weights it is given."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from PIL import Image
from torchvision import models

DATA = Path(os.environ.get("FTCORE_TEST_DATA", "../shared/data"))
IMAGENET_MEAN, IMAGENET_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

Fit: TypeAlias = Callable[[], float]  # trains and evaluates; returns the accuracy at the end


@dataclass(frozen=True)
class Job:
    """Train a new linear head on a frozen network, and evaluate it after every epoch.

    `folder` holds train and test folders of class folders. Contestants train on the first and score
    the second; ftcore sets a tenth of the first apart, by which it chooses the epoch.
    """

    folder: Path
    weights: Path
    epochs: int
    arch: str = "resnet18"
    classes: int = 10
    size: int = 224
    batch: int = 32
    rate: float = 0.01
    weight_decay: float = 0.01
    schedule: str = "cosine:warmup=0.05"  # of ftcore, by default; the others keep their rate
    seed: int = 0

    @property
    def scratch(self) -> Path:
        """Where a contestant may write."""
        return self.folder.parent / "scratch"


def make_weights(path: Path) -> None:
    """Write a random ResNet-18 of a fixed seed, which all contestants load."""
    torch.manual_seed(0)
    torch.save(models.resnet18().state_dict(), path)


def make_images(folder: Path, images: int, data: Path = DATA) -> None:
    """Write images of CIFAR-10 as PNG files: so many to train, and a quarter of it to test.

    They are the first ones of each class, as many of each. They have 32 pixels a side, so that
    decoding them costs little; photographs would cost those most who decode them in every epoch.
    """
    root = data / "cifar10-subset" / "cifar-10-batches-py-subset"
    batch, test = (_read(root / name) for name in ("data_batch_1", "test_batch"))
    parts = {
        "train": (batch, slice(max(1, images // 10))),
        "test": (test, slice(max(1, images // 40))),
    }
    for target, name in enumerate(_read(root / "batches.meta")["label_names"]):
        for part, (source, chosen) in parts.items():
            (folder / part / name).mkdir(parents=True)
            members = [i for i, label in enumerate(source["labels"]) if label == target]
            for index in members[chosen]:
                pixels = source["data"][index].reshape(3, 32, 32).transpose(1, 2, 0)
                Image.fromarray(pixels).save(folder / part / name / f"{index:05}.png")


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise SystemExit(f"there is no {path}; set FTCORE_TEST_DATA to the folder of test data")
    with path.open("rb") as file:
        content: dict[str, Any] = pickle.load(file, encoding="latin1")
    return content
