"""TrivialAugment: one random operation an image, of random strength."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from numpy.random import Generator
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor

from ftcore.images.pillow import from_pillow, to_pillow

_LEVELS = 31

Operation = Callable[[Image.Image, float], Image.Image]


@dataclass(frozen=True)
class TrivialAugment:
    """Apply one of 14 operations at one of 31 strengths, all equally likely.

    Source: Müller & Hutter 2021, TrivialAugment, the "wide" ranges; black comes in at the sides.
    """

    name: ClassVar[str] = "trivial"
    bounds: ClassVar[tuple[float, float]] = (0, 0)

    def __call__(self, images: Tensor, generators: Sequence[Generator]) -> Tensor:
        """Change each image by an operation of its own."""
        changed = [
            _change(to_pillow(image), generator)
            for image, generator in zip(images, generators, strict=True)
        ]
        return torch.stack([from_pillow(image) for image in changed])


def _change(image: Image.Image, generator: Generator) -> Image.Image:
    name = list(OPERATIONS)[generator.integers(len(OPERATIONS))]
    strength = int(generator.integers(_LEVELS)) / (_LEVELS - 1)
    sign = 1 if generator.integers(2) else -1
    return OPERATIONS[name](image, sign * strength)


def _affine(image: Image.Image, matrix: tuple[float, ...]) -> Image.Image:
    return image.transform(image.size, Image.Transform.AFFINE, matrix)


def _posterize(image: Image.Image, strength: float) -> Image.Image:
    return ImageOps.posterize(image, 8 - round(abs(strength) * 6))


def _solarize(image: Image.Image, strength: float) -> Image.Image:
    return ImageOps.solarize(image, round(256 * (1 - abs(strength))))


# Each takes a strength from -1 to 1; where both signs mean the same, its absolute value counts.
OPERATIONS: dict[str, Operation] = {
    "identity": lambda image, _: image,
    "shear-x": lambda image, strength: _affine(image, (1, 0.99 * strength, 0, 0, 1, 0)),
    "shear-y": lambda image, strength: _affine(image, (1, 0, 0, 0.99 * strength, 1, 0)),
    "translate-x": lambda image, strength: _affine(image, (1, 0, 32 * strength, 0, 1, 0)),
    "translate-y": lambda image, strength: _affine(image, (1, 0, 0, 0, 1, 32 * strength)),
    "rotate": lambda image, strength: image.rotate(135 * strength),
    "brightness": lambda image, strength: ImageEnhance.Brightness(image).enhance(
        1 + 0.99 * strength
    ),
    "saturation": lambda image, strength: ImageEnhance.Color(image).enhance(1 + 0.99 * strength),
    "contrast": lambda image, strength: ImageEnhance.Contrast(image).enhance(1 + 0.99 * strength),
    "sharpness": lambda image, strength: ImageEnhance.Sharpness(image).enhance(1 + 0.99 * strength),
    "posterize": _posterize,
    "solarize": _solarize,
    "autocontrast": lambda image, _: ImageOps.autocontrast(image),
    "equalize": lambda image, _: ImageOps.equalize(image),
}
