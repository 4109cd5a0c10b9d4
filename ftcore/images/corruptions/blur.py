"""Corruptions that mix each pixel with others around it."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from ftcore.images.corruptions.pixels import (
    Pixels,
    convolve,
    disk_kernel,
    frame,
    line_kernel,
    shorter_side,
    smooth,
)
from ftcore.images.corruptions.strength import Strength

_RADIUS = Strength((0.8, 1.0, 1.2, 1.4, 1.7), (3, 4, 6, 8, 10), is_length=True)
_GLASS_REACH = Strength((0.06, 0.13, 0.2, 0.28, 0.38), (0.7, 1.3, 2.1, 2.9, 4.3), is_length=True)
_GLASS_SIGMA = Strength((0.3, 0.31, 0.32, 0.33, 0.34), (0.7, 0.8, 0.9, 1.0, 1.2), is_length=True)
_PATH = Strength((1.6, 2.2, 2.8, 3.4, 4.0), (6, 10, 13, 16, 20), is_length=True)
_ZOOM = Strength((0.06, 0.11, 0.16, 0.21, 0.26), (0.11, 0.16, 0.21, 0.26, 0.31))

_GLASS_LAYERS = 2
_ZOOM_STEP = 2  # pixels that two zoomed copies lie apart at the edge, at most


def defocus_blur(image: Pixels, severity: int, generator: Generator) -> Pixels:
    """Spread each pixel over a disk, as a lens does that is out of focus."""
    return convolve(image, disk_kernel(_RADIUS.at(severity, shorter_side(image))))


def glass_blur(image: Pixels, severity: int, generator: Generator) -> Pixels:
    """Show at each pixel one that lies near it, twice over, as frosted glass does.

    The published one swaps pixels one after the other, which cannot be done for all at once.
    """
    side = shorter_side(image)
    reach, sigma = _GLASS_REACH.at(severity, side), _GLASS_SIGMA.at(severity, side)
    image = smooth(image, sigma)
    height, width = frame(image)
    for _ in range(_GLASS_LAYERS):
        shifts = generator.uniform(-reach - 0.5, reach + 0.5, (2, height, width))
        down, right = np.rint(shifts).astype(np.int64)  # 0 within the pixel itself
        rows = (np.arange(height)[:, None] + down).clip(0, height - 1)
        columns = (np.arange(width) + right).clip(0, width - 1)
        image = image[:, rows, columns]
    return smooth(image, sigma)


def motion_blur(image: Pixels, severity: int, generator: Generator) -> Pixels:
    """Spread each pixel along a line, as of a camera that moves, in a random direction."""
    path = _PATH.at(severity, shorter_side(image))
    return convolve(image, line_kernel(path, generator.uniform(0, math.pi)))


def zoom_blur(image: Pixels, severity: int, generator: Generator) -> Pixels:
    """Average what a camera sees while it moves towards its subject."""
    zoom = _ZOOM.at(severity, shorter_side(image))
    travel = zoom * max(image.shape[-2:]) / 2
    factors = np.linspace(1, 1 + zoom, 2 + math.ceil(travel / _ZOOM_STEP))
    total = sum((_zoomed(image, factor) for factor in factors[1:].tolist()), start=image)
    return total / np.float32(len(factors))


def _zoomed(image: Pixels, factor: float) -> Pixels:
    # Enlarged around the middle and cropped to its size: bilinear, rows first, then columns.
    for axis in (-2, -1):
        size = image.shape[axis]
        middle = (size - 1) / 2
        place = (np.arange(size) - middle) / factor + middle
        below = np.floor(place).astype(np.int64)
        share = (place - below).astype(np.float32)
        share = share[:, None] if axis == -2 else share
        low, high = (image.take(index, axis) for index in (below, np.minimum(below + 1, size - 1)))
        image = low + share * (high - low)
    return image
