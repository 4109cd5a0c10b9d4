"""Augmentations that move, cut out or cover parts of an image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.random import Generator
from PIL import Image
from torch import Tensor
from torch.nn.functional import pad

from ftcore.images.pillow import from_pillow, to_pillow

_ATTEMPTS = 10  # at a rectangle that fits into the image


@dataclass(frozen=True)
class RandomResizedCrop:
    """Keep a random part of the image, which is then resized (Szegedy 2015).

    The part has from `smallest` to all of the area, and an aspect from 3/4 to 4/3.
    """

    name: ClassVar[str] = "crop"
    bounds: ClassVar[tuple[float, float]] = (0.01, 1)
    smallest: float = 0.08

    def cut(self, image: Tensor, generator: Generator) -> Tensor:
        """Return the part to keep of an image (channels, height, width), as a view."""
        height, width = image.shape[-2:]
        part = _draw_rectangle(generator, (height, width), (self.smallest, 1), 3 / 4)
        if part is None:  # too long and narrow: the middle, with an aspect as near as can be
            high, wide = min(height, round(width * 4 / 3)), min(width, round(height * 4 / 3))
            part = ((height - high) // 2, (width - wide) // 2, high, wide)
        top, left, high, wide = part
        return image[:, top : top + high, left : left + wide]


@dataclass(frozen=True)
class Flip:
    """Mirror the image left to right."""

    name: ClassVar[str] = "flip"
    bounds: ClassVar[tuple[float, float]] = (0, 1)
    probability: float = 0.5

    def __call__(self, images: Tensor, generators: Sequence[Generator]) -> Tensor:
        """Mirror some of the images."""
        chosen = torch.tensor([g.random() < self.probability for g in generators])
        return torch.where(chosen[:, None, None, None], images.flip(-1), images)


@dataclass(frozen=True)
class PadCrop:
    """Shift the image by up to a fraction of its size; black comes in (He 2016).

    An eighth is the usual 4 pixels of images of 32.
    """

    name: ClassVar[str] = "pad-crop"
    bounds: ClassVar[tuple[float, float]] = (0, 1)
    fraction: float = 0.125

    def __call__(self, images: Tensor, generators: Sequence[Generator]) -> Tensor:
        """Pad every side, then crop the old size."""
        height, width = images.shape[-2:]
        y, x = round(self.fraction * height), round(self.fraction * width)
        padded = pad(images, (x, x, y, y))
        corners = [(g.integers(2 * y + 1), g.integers(2 * x + 1)) for g in generators]
        return torch.stack(
            [
                image[:, top : top + height, left : left + width]
                for image, (top, left) in zip(padded, corners, strict=True)
            ]
        )


@dataclass(frozen=True)
class Rotate:
    """Rotate the image by up to so many degrees, either way; black comes in."""

    name: ClassVar[str] = "rotate"
    bounds: ClassVar[tuple[float, float]] = (0, 180)
    degrees: float = 15.0

    def __call__(self, images: Tensor, generators: Sequence[Generator]) -> Tensor:
        """Rotate each image by an angle of its own."""
        rotated = [
            to_pillow(image).rotate(
                generator.uniform(-self.degrees, self.degrees), Image.Resampling.BILINEAR
            )
            for image, generator in zip(images, generators, strict=True)
        ]
        return torch.stack([from_pillow(image) for image in rotated])


@dataclass(frozen=True)
class RandomErasing:
    """Cover a random rectangle with random pixels (Zhong 2020).

    It has from 2 to 33 % of the area, and an aspect from 0.3 to its inverse.
    """

    name: ClassVar[str] = "erase"
    bounds: ClassVar[tuple[float, float]] = (0, 1)
    probability: float = 0.5

    def __call__(self, images: Tensor, generators: Sequence[Generator]) -> Tensor:
        """Cover a part of some of the images, in a copy."""
        images = images.clone()
        channels, height, width = images.shape[1:]
        for image, generator in zip(images, generators, strict=True):
            if generator.random() >= self.probability:
                continue
            part = _draw_rectangle(generator, (height, width), (0.02, 0.33), 0.3)
            if part is not None:
                top, left, high, wide = part
                noise = generator.integers(0, 256, (channels, high, wide), dtype=np.uint8)
                image[:, top : top + high, left : left + wide] = torch.from_numpy(noise)
        return images


def _draw_rectangle(
    generator: Generator,
    size: tuple[int, int],
    areas: tuple[float, float],
    aspect: float,
) -> tuple[int, int, int, int] | None:
    # The area is uniform in `areas`, the aspect log-uniform from `aspect` to its inverse, the place
    # uniform; None where no attempt fits.
    height, width = size
    for _ in range(_ATTEMPTS):
        area = generator.uniform(*areas) * height * width
        ratio = math.exp(generator.uniform(math.log(aspect), -math.log(aspect)))
        high, wide = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
        if 0 < high <= height and 0 < wide <= width:
            top = int(generator.integers(height - high + 1))
            left = int(generator.integers(width - wide + 1))
            return (top, left, high, wide)
    return None
