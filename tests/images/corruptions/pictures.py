"""Pictures that the tests of corruptions share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ftcore.images.corruptions.pixels import Pixels


def landscape(height: int, width: int, channels: int = 3, seed: int = 0) -> Pixels:
    """Like a photograph: waves the weaker the shorter they are, an edge, and a texture."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(1, min(height, width) - 1)
    layers: list[NDArray[np.float64]] = []
    for _ in range(channels):
        waves = [
            np.sin(2 * np.pi * (k * (x * np.cos(a) + y * np.sin(a)) + p)) / k
            for k, a, p in zip(
                range(1, 9), generator.uniform(0, 7, 8), generator.random(8), strict=True
            )
        ]
        hill = 0.35 * (y > 0.5 + 0.2 * np.sin(3 * x))
        layers.append(0.35 + hill + 0.1 * np.sum(waves, axis=0))
    image = np.stack(layers) + generator.normal(0, 0.02, (1, height, width))
    return image.clip(0, 1).astype(np.float32)


def levels(image: Pixels) -> NDArray[np.uint8]:
    """Return an image as it is stored."""
    stored: NDArray[np.uint8] = np.rint(image * 255).astype(np.uint8)
    return stored
