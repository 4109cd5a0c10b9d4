"""Corruptions that change each pixel by itself, at random."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from ftcore.images.corruptions.pixels import Pixels, shorter_side
from ftcore.images.corruptions.strength import Strength

_DEVIATION = Strength((0.04, 0.06, 0.08, 0.09, 0.10), (0.08, 0.12, 0.18, 0.26, 0.38))
_PHOTONS = Strength((500, 250, 100, 75, 50), (60, 25, 12, 5, 3))
_SHARE = Strength((0.01, 0.02, 0.03, 0.05, 0.07), (0.03, 0.06, 0.09, 0.17, 0.27))


def gaussian_noise(image: Pixels, severity: int, generator: Generator) -> Pixels:
    """Add normal noise, as of a sensor in low light."""
    deviation = np.float32(_DEVIATION.at(severity, shorter_side(image)))
    return image + deviation * generator.standard_normal(image.shape, np.float32)


def shot_noise(image: Pixels, severity: int, generator: Generator) -> Pixels:
    """Count photons, of which a white pixel has so many on average (Poisson noise)."""
    photons = _PHOTONS.at(severity, shorter_side(image))
    return (generator.poisson(image * photons) / photons).astype(np.float32)


def impulse_noise(image: Pixels, severity: int, generator: Generator) -> Pixels:
    """Set a share of all values to black or white, in each channel apart (salt and pepper)."""
    share = _SHARE.at(severity, shorter_side(image))
    draw = generator.random(image.shape, np.float32)
    extreme = (draw < share / 2).astype(np.float32)
    return np.where(draw < share, extreme, image)
