"""Grey values, and the augmentation that changes colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from numpy.random import Generator
from PIL import Image, ImageEnhance
from torch import Tensor

from ftcore.images.pillow import from_pillow, to_pillow


def to_grey(images: Tensor) -> Tensor:
    """Map uint8 RGB (..., 3, height, width) to its luma (..., 1, height, width); grey stays as is.

    Source: ITU-R BT.601, in the integer arithmetic of Pillow's convert("L").
    """
    if images.shape[-3] == 1:
        return images
    red, green, blue = images.to(torch.int32).unbind(-3)
    luma = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
    return luma.to(torch.uint8).unsqueeze(-3)


@dataclass(frozen=True)
class ColourJitter:
    """Scale brightness, contrast and saturation, each by up to 1 ± strength (Howard 2013)."""

    name: ClassVar[str] = "color"
    bounds: ClassVar[tuple[float, float]] = (0, 1)
    strength: float = 0.4

    def __call__(self, images: Tensor, generators: Sequence[Generator]) -> Tensor:
        """Change each image by factors of its own."""
        changed = [
            self._change(to_pillow(image), generator)
            for image, generator in zip(images, generators, strict=True)
        ]
        return torch.stack([from_pillow(image) for image in changed])

    def _change(self, image: Image.Image, generator: Generator) -> Image.Image:
        # Pillow is four times as fast here as batched tensor arithmetic.
        brightness, contrast, saturation = generator.uniform(
            1 - self.strength, 1 + self.strength, 3
        )
        image = ImageEnhance.Brightness(image).enhance(brightness)
        image = ImageEnhance.Contrast(image).enhance(contrast)
        return ImageEnhance.Color(image).enhance(saturation)
