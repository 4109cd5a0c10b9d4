"""A common corruption at one severity, by name."""

from __future__ import annotations

import difflib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from ftcore.errors import UsageError
from ftcore.images.corruptions import blur, digital, noise, weather
from ftcore.images.corruptions.pixels import Pixels
from ftcore.interfaces import SEVERITIES

Levels: TypeAlias = NDArray[np.uint8]

_KINDS: tuple[Callable[[Pixels, int, Generator], Pixels], ...] = (
    noise.gaussian_noise,
    noise.shot_noise,
    noise.impulse_noise,
    blur.defocus_blur,
    blur.glass_blur,
    blur.motion_blur,
    blur.zoom_blur,
    weather.snow,
    weather.frost,
    weather.fog,
    weather.brightness,
    digital.contrast,
    digital.elastic_transform,
    digital.pixelate,
    digital.jpeg_compression,
)
_BY_NAME = {kind.__name__: kind for kind in _KINDS}
CORRUPTIONS = tuple(_BY_NAME)


@dataclass(frozen=True)
class Corruption:
    """One of the 15 common corruptions of Hendrycks & Dietterich 2019 (arXiv:1903.12261).

    They are written from the paper's descriptions, with strengths near the published ones of
    ImageNet-C for images of 224 pixels and of CIFAR-10-C for those of 32, and by `Strength` in
    between. So the kinds are the published ones, and the images are not. Raises UsageError for a
    name or a severity that does not exist.
    """

    name: str
    severity: int

    def __post_init__(self) -> None:
        if self.name not in _BY_NAME:
            near = difflib.get_close_matches(self.name, CORRUPTIONS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(CORRUPTIONS)}"
            raise UsageError(f"unknown corruption {self.name!r}; {hint}")
        if self.severity not in SEVERITIES:
            raise UsageError(
                f"severity {self.severity} of {self.name} does not exist; choose from 1 to 5"
            )

    def __call__(self, images: Tensor, seeds: Sequence[int]) -> Tensor:
        """Map uint8 (N, 1 or 3, height, width) to the same shape.

        What becomes of an image is a function of the image, its seed, the name and the severity:
        each is changed by itself, so that the batch it comes in cannot move even a rounding.
        """
        changed = [
            self._changed(image, self._generator(seed))
            for image, seed in zip(images.numpy(), seeds, strict=True)
        ]
        return torch.from_numpy(np.stack(changed))

    def _changed(self, image: Levels, generator: Generator) -> Levels:
        pixels = image.astype(np.float32) / np.float32(255)
        changed = _BY_NAME[self.name](pixels, self.severity, generator)
        levels: Levels = np.rint(changed.clip(0, 1) * 255).astype(np.uint8)
        return levels

    def _generator(self, seed: int) -> Generator:
        name = zlib.crc32(self.name.encode())
        return np.random.default_rng([seed, name, self.severity])
