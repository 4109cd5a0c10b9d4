"""A tiny backbone and dataset, fast enough to train in every test. Weights and data are made up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ftcore.content import digest_of
from ftcore.errors import UsageError
from ftcore.interfaces import Backbone, DataBundle, Stage, Weights


@dataclass(frozen=True)
class ToFloat:
    """Stacks tensors; "noise" adds noise that depends on each example's seed."""

    noise: float = 0.0

    @property
    def is_random(self) -> bool:
        return self.noise > 0

    def __call__(self, raw: Sequence[Any], seeds: Sequence[int] = ()) -> Tensor:
        inputs = torch.stack([torch.as_tensor(example).float() for example in raw])
        for row, seed in enumerate(seeds):
            generator = torch.Generator().manual_seed(seed % 2**31)
            inputs[row] += self.noise * torch.randn(inputs[row].shape, generator=generator)
        return inputs

    def augmented(self, spec: str) -> ToFloat:
        if spec != "noise":
            raise UsageError(f"unknown augmentation {spec!r}")
        return replace(self, noise=0.1)

    def read(self, path: Path) -> Iterator[tuple[str, Any]]:
        yield path.name, torch.zeros(2, 4, 4)

    def describe(self) -> Mapping[str, Any]:
        return {"noise": self.noise}


@dataclass(frozen=True)
class Rows:
    """A split in memory."""

    values: Tensor
    targets: Tensor
    ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.ids)

    def inputs(self, indices: Sequence[int]) -> Sequence[Any]:
        return [self.values[index] for index in indices]

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        return [digest_of(self.values[index]) for index in indices]


def block(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, padding=1),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
        nn.Dropout(0.1),
    )


def make_backbone(seed: int = 0) -> Backbone:
    """Three stages with parameters, BatchNorm and dropout, then one without."""
    torch.manual_seed(seed)
    stages = (
        Stage("stem", block(2, 4)),
        Stage("middle", block(4, 6)),
        Stage("top", block(6, 8)),
        Stage("pool", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())),
    )
    return Backbone("tiny", stages, 8, ToFloat(), Weights("random"))


def make_split(count: int, classes: int, seed: int, name: str) -> Rows:
    """Each class is a Gaussian blob around its own mean."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.arange(count) % classes
    means = torch.randn(classes, 2, 4, 4, generator=torch.Generator().manual_seed(7))
    values = means[targets] + 0.5 * torch.randn(count, 2, 4, 4, generator=generator)
    return Rows(values, targets, [f"{name}/{index}" for index in range(count)])


def make_bundle(classes: int = 3, train: int = 45, val: int = 15, test: int = 30) -> DataBundle:
    """Three parts of made-up examples."""
    splits = {
        "train": make_split(train, classes, 1, "train"),
        "val": make_split(val, classes, 2, "val"),
        "test": make_split(test, classes, 3, "test"),
    }
    names = tuple(f"class {index}" for index in range(classes))
    return DataBundle("tiny", "classification", splits, names, (4, 4))


@dataclass(frozen=True)
class Plain:
    """A strategy that returns a given plan."""

    made: Any = field(repr=False)

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> Any:
        return self.made
