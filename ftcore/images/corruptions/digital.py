"""Corruptions of processing and storing: contrast, elastic warps, few pixels, JPEG."""

from __future__ import annotations

import io
import math

import numpy as np
from numpy.random import Generator
from PIL import Image

from ftcore.images.corruptions.pixels import Pixels, frame, shorter_side, smooth
from ftcore.images.corruptions.strength import Strength

_CONTRAST = Strength((0.75, 0.5, 0.4, 0.3, 0.15), (0.4, 0.3, 0.2, 0.1, 0.05))
_WOBBLE = Strength((0.2, 0.3, 0.4, 0.5, 0.6), (0.6, 0.9, 1.2, 1.6, 2.1), is_length=True)
_STRETCH = Strength((0.5, 0.7, 0.9, 1.1, 1.3), (2.0, 2.8, 3.6, 4.4, 5.2), is_length=True)
_WAVE = Strength((1.2, 1.2, 1.2, 1.2, 1.2), (4.0, 4.0, 4.0, 4.0, 4.0), is_length=True)
_RESOLUTION = Strength((0.95, 0.9, 0.85, 0.75, 0.65), (0.6, 0.5, 0.4, 0.3, 0.25))
_QUALITY = Strength((80, 65, 58, 50, 40), (25, 18, 15, 10, 7))


def contrast(image: Pixels, severity: int, generator: Generator) -> Pixels:
    """Move every value towards the mean of its channel."""
    mean = image.mean(axis=(-2, -1), keepdims=True)
    share = np.float32(_CONTRAST.at(severity, shorter_side(image)))
    faded: Pixels = mean + share * (image - mean)
    return faded


def elastic_transform(image: Pixels, severity: int, generator: Generator) -> Pixels:
    """Stretch the image as a whole and displace its pixels smoothly (Simard et al. 2003)."""
    from scipy.ndimage import map_coordinates

    side, (height, width) = shorter_side(image), frame(image)
    sigma = _WAVE.at(severity, side)
    waves = smooth(generator.standard_normal((2, height, width), np.float32), sigma)
    # White noise that a Gaussian has smoothed has this standard deviation.
    waves *= _WOBBLE.at(severity, side) * 2 * sigma * math.sqrt(math.pi)
    y, x = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
    stretch = _STRETCH.at(severity, side) * generator.uniform(-1, 1, (2, 3))
    down, right = (a * y + b * x + c for a, b, c in stretch)
    rows = np.arange(height)[:, None] + waves[0] + down
    columns = np.arange(width) + waves[1] + right
    return np.stack(
        [map_coordinates(channel, (rows, columns), order=1, mode="reflect") for channel in image]
    )


def pixelate(image: Pixels, severity: int, generator: Generator) -> Pixels:
    """Average the pixels of a coarser grid, and show each average as a block."""
    resolution = _RESOLUTION.at(severity, shorter_side(image))
    height, width = frame(image)
    coarse = max(1, round(width * resolution)), max(1, round(height * resolution))
    picture = _to_pillow(image).resize(coarse, Image.Resampling.BOX)
    return _from_pillow(picture.resize((width, height), Image.Resampling.BOX))


def jpeg_compression(image: Pixels, severity: int, generator: Generator) -> Pixels:
    """Write and read the image as a JPEG file."""
    return compress(image, round(_QUALITY.at(severity, shorter_side(image))))


def compress(image: Pixels, quality: int) -> Pixels:
    """Return what JPEG at that quality, with Pillow's other defaults, leaves of an image."""
    file = io.BytesIO()
    _to_pillow(image).save(file, "JPEG", quality=quality)
    with Image.open(file) as picture:
        return _from_pillow(picture)


def _to_pillow(image: Pixels) -> Image.Image:
    levels = np.rint(image * 255).astype(np.uint8)
    return Image.fromarray(levels[0] if len(levels) == 1 else levels.transpose(1, 2, 0))


def _from_pillow(picture: Image.Image) -> Pixels:
    levels = np.asarray(picture, dtype=np.float32) / np.float32(255)
    return levels[None] if levels.ndim == 2 else levels.transpose(2, 0, 1)
