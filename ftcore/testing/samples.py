"""Small made-up parts that the checks put a plugin's product together with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftcore.errors import DataError, UsageError
from ftcore.interfaces import Backbone, Preprocess, Stage, Weights

if TYPE_CHECKING:
    from torch import Tensor


def tiny_backbone() -> Backbone:
    """Return a backbone with random weights for 3-channel images: two stages and a pooling one.

    It has convolutions, biases and BatchNorm, and 8 features.
    """
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        stages = (
            Stage("stem", nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.BatchNorm2d(4), nn.ReLU())),
            Stage("body", nn.Sequential(nn.Conv2d(4, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU())),
            Stage("pool", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())),
        )
    return Backbone("tiny", stages, 8, Pixels(), Weights("random"))


def raw_images(count: int, height: int = 32, width: int = 32) -> Tensor:
    """Return random images (count, 3, height, width) in uint8, the same every time."""
    import torch

    generator = torch.Generator().manual_seed(0)
    shape = (count, 3, height, width)
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)


@dataclass(frozen=True)
class Pixels:
    """Scales images of one size to [0, 1]; those with one channel get two more like it."""

    @property
    def is_random(self) -> bool:
        """Nothing is random."""
        return False

    def __call__(self, raw: Sequence[Any], seeds: Sequence[int] = ()) -> Tensor:
        """Return (N, 3, height, width) in float32."""
        import torch

        return torch.stack([image.expand(3, -1, -1) for image in raw]).float() / 255

    def augmented(self, spec: str) -> Preprocess:
        """Refuse: there are no augmentations."""
        raise UsageError(f"unknown augmentation {spec!r}; there is none")

    def read(self, path: Path) -> Iterator[tuple[str, Any]]:
        """Refuse: nothing is read from files."""
        raise DataError(f"{path} cannot be read: this preprocessing takes tensors only")

    def describe(self) -> Mapping[str, Any]:
        """Return the scale."""
        return {"scale": 255}
