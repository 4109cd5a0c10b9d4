"""Corruptions that stand between a camera and its subject outdoors: snow, frost, fog, light."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from ftcore.images.corruptions.ice import grow_ice
from ftcore.images.corruptions.pixels import (
    Pixels,
    convolve,
    fractal_noise,
    frame,
    line_kernel,
    shorter_side,
    smooth,
    to_grey,
)
from ftcore.images.corruptions.strength import Strength

_COVER = Strength((0.008, 0.014, 0.02, 0.026, 0.032), (0.015, 0.025, 0.04, 0.055, 0.07))
_FLAKE = Strength((0.4, 0.4, 0.4, 0.45, 0.45), (1.0, 1.1, 1.2, 1.3, 1.4), is_length=True)
_FALL = Strength((2.0, 2.2, 2.4, 2.6, 2.8), (6, 7, 8, 9, 10), is_length=True)
_OVERCAST = Strength((0.08, 0.12, 0.16, 0.2, 0.24), (0.2, 0.27, 0.34, 0.41, 0.48))
_BEHIND_ICE = Strength((1.0, 0.97, 0.93, 0.9, 0.86), (0.9, 0.8, 0.7, 0.65, 0.6))
_ICE = Strength((0.2, 0.3, 0.4, 0.47, 0.55), (0.4, 0.55, 0.65, 0.7, 0.75))
_ICE_TINT = np.array([0.86, 0.94, 1.0], dtype=np.float32)[:, None, None]
_HAZE = Strength((0.2, 0.45, 0.7, 0.9, 1.2), (1.2, 1.6, 2.1, 2.7, 3.4))
_SLOPE = Strength((2.5, 2.4, 2.3, 2.0, 1.8), (2.0, 2.0, 1.8, 1.6, 1.5))
_LIGHT = Strength((0.05, 0.1, 0.15, 0.2, 0.3), (0.1, 0.2, 0.3, 0.4, 0.5))

_SNOWFALLS = 2  # one before the other
_CLOUDS, _UNEVENNESS = 0.65, 0.18  # mean and deviation of their brightness
_HARDNESS = 2.0  # how fast a flake gets white from its rim, in deviations of the noise


def snow(image: Pixels, severity: int, generator: Generator) -> Pixels:
    """Whiten the scene and let flakes fall through it, each blurred along its path."""
    overcast = np.float32(_OVERCAST.at(severity, shorter_side(image)))
    white = np.maximum(image, 0.5 + 0.5 * to_grey(image))
    scene: Pixels = image + overcast * (white - image)
    for _ in range(_SNOWFALLS):
        scene += _snowfall(image, severity, generator)
    return scene


def _snowfall(image: Pixels, severity: int, generator: Generator) -> Pixels:
    from scipy.special import ndtri

    side = shorter_side(image)
    sigma = _FLAKE.at(severity, side)
    field = smooth(generator.standard_normal((1, *frame(image)), np.float32), sigma)
    deviation = field.std()
    threshold = ndtri(1 - _COVER.at(severity, side)) * deviation
    flakes = np.clip(_HARDNESS * (field - threshold) / max(float(deviation), 1e-6), 0, 1)
    angle = generator.uniform(math.pi / 4, 3 * math.pi / 4)
    return convolve(flakes.astype(np.float32), line_kernel(_FALL.at(severity, side), angle))


def frost(image: Pixels, severity: int, generator: Generator) -> Pixels:
    """Look through a window on which ice has grown.

    The ice is drawn anew for each image. The published one is cut from photographs, which differ.
    """
    side = shorter_side(image)
    ice = _tinted(grow_ice(frame(image), generator), len(image))
    behind, weight = _BEHIND_ICE.at(severity, side), _ICE.at(severity, side)
    return np.float32(behind) * image + np.float32(weight) * ice


def _tinted(ice: Pixels, channels: int) -> Pixels:
    coloured = _ICE_TINT * ice
    return coloured if channels == 3 else to_grey(coloured)


def fog(image: Pixels, severity: int, generator: Generator) -> Pixels:
    """Let through 1 / (1 + haze) of the light, and show clouds, fractal noise, for the rest."""
    side = shorter_side(image)
    noise = fractal_noise(frame(image), _SLOPE.at(severity, side), generator)
    uneven = (noise - noise.mean()) / max(float(noise.std()), 1e-6)
    clouds = np.clip(_CLOUDS + _UNEVENNESS * uneven, 0, 1)
    through = np.float32(1 / (1 + _HAZE.at(severity, side)))
    foggy: Pixels = through * image + (1 - through) * clouds.astype(np.float32)
    return foggy


def brightness(image: Pixels, severity: int, generator: Generator) -> Pixels:
    """Raise the value of each pixel in HSV, which is its largest channel, and keep its hue."""
    light = np.float32(_LIGHT.at(severity, shorter_side(image)))
    value = image.max(axis=0, keepdims=True)
    brighter = np.minimum(value + light, 1)
    return np.where(value > 0, image * (brighter / np.where(value > 0, value, 1)), light)
