"""The dataset `dots`: images of one to five dots on a noisy ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ftcore import DataBundle, ImageLikeness, UsageError, digest_of

CLASSES = ("one", "two", "three", "four", "five")

_GRID = 4  # cells a side; a cell holds one dot at most, so that dots never touch
_CELL = 8  # pixels a side
_DOT = 4
_SIZE = _GRID * _CELL


def make_dots(examples: int) -> DataBundle:
    """Return the dataset: `examples` to train on, and a third as many to test."""
    if examples < 3 * len(CLASSES):
        raise UsageError(
            f"dots: examples is {examples}; it must be {3 * len(CLASSES)} or more, "
            f"so that each of the {len(CLASSES)} classes is seen"
        )
    return DataBundle(
        name="dots",
        task="ordinal",
        splits={"train": _draw("train", examples, 0), "test": _draw("test", examples // 3, 1)},
        classes=CLASSES,
        input_shape=(_SIZE, _SIZE),
        origin="drawn by ftcore-example",
        licence="CC0-1.0",
        notes=("dots is synthetic: its results say nothing about photographs",),
        likeness=ImageLikeness(),
    )


@dataclass(frozen=True)
class Drawings:
    """Images in memory."""

    part: str
    images: Tensor  # uint8 (N, 1, height, width)
    targets: Tensor  # int64 (N,), the number of dots less one

    @property
    def ids(self) -> Sequence[str]:
        """The part and the position."""
        return [f"{self.part}/{index}" for index in range(len(self))]

    def __len__(self) -> int:
        return len(self.targets)

    def inputs(self, indices: Sequence[int]) -> Sequence[Tensor]:
        """Return the images at `indices`."""
        return [self.images[index] for index in indices]

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        """Return a hash of each image, under which what a backbone makes of it is kept."""
        return [digest_of(image) for image in self.inputs(indices)]


def _draw(part: str, count: int, seed: int) -> Drawings:
    generator = np.random.default_rng(seed)
    targets = np.arange(count) % len(CLASSES)
    images = generator.integers(0, 100, (count, 1, _SIZE, _SIZE), dtype=np.uint8)
    for image, target in zip(images, targets, strict=True):
        for cell in generator.choice(_GRID**2, target + 1, replace=False):
            corner = np.array(divmod(int(cell), _GRID)) * _CELL
            top, left = corner + generator.integers(0, _CELL - _DOT + 1, 2)
            image[0, top : top + _DOT, left : left + _DOT] = generator.integers(160, 256)
    return Drawings(part, torch.from_numpy(images), torch.from_numpy(targets))
