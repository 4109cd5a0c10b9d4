from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
import torch
from numpy.random import Generator
from PIL import Image

from ftcore.images.colour import ColourJitter, to_grey

WEIGHTS = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def _noise(channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, channels, 9, 11), dtype=np.uint8)


def test_grey_is_pillows() -> None:
    noise = _noise(3)
    expected = [np.array(Image.fromarray(each.transpose(1, 2, 0)).convert("L")) for each in noise]
    assert torch.equal(to_grey(torch.from_numpy(noise))[:, 0], torch.from_numpy(np.stack(expected)))


def test_grey_of_grey() -> None:
    noise = torch.from_numpy(_noise(1))
    assert torch.equal(to_grey(noise), noise)


class _Fixed:
    def __init__(self, *factors: float) -> None:
        self.factors = factors

    def uniform(self, low: float, high: float, size: int) -> Any:
        assert size == len(self.factors)
        assert all(low <= factor <= high for factor in self.factors)
        return np.array(self.factors)


def _expected(image: np.ndarray, brightness: float, contrast: float, saturation: float) -> Any:
    def luma(pixels: np.ndarray) -> np.ndarray:
        weights = WEIGHTS if len(pixels) == 3 else np.ones(1)
        return np.tensordot(weights, pixels, 1)[None]

    pixels = np.clip(image * brightness, 0, 255)
    mean = luma(pixels).mean()
    pixels = np.clip(mean + (pixels - mean) * contrast, 0, 255)
    grey = luma(pixels)
    return np.clip(grey + (pixels - grey) * saturation, 0, 255)


@pytest.mark.parametrize(
    "factors", [(1, 1, 1), (0.6, 1, 1), (1.4, 1, 1), (1, 0.6, 1), (1, 1.4, 1), (1, 1, 0), (1, 1, 2)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_jitter(factors: tuple[float, float, float], channels: int) -> None:
    images = _noise(channels)
    generators = [cast("Generator", _Fixed(*factors))] * 2
    made = ColourJitter(1.0)(torch.from_numpy(images), generators).numpy()
    expected = np.stack([_expected(image, *factors) for image in images])
    # Pillow rounds the mean, the grey values and each step.
    assert np.abs(made - expected).max() <= 2


def test_jitter_draws_from_its_range() -> None:
    images = torch.full((400, 1, 4, 4), 100, dtype=torch.uint8)
    made = ColourJitter(0.4)(images, [np.random.default_rng(seed) for seed in range(400)])
    # Of an even grey only the brightness counts.
    values = made[:, 0, 0, 0].tolist()
    assert 59 <= min(values) < 65
    assert 135 < max(values) <= 141
