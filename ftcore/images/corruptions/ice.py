"""Ice as it grows on a window: stems with branches at sixty degrees, which branch again."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ftcore.images.corruptions.pixels import Pixels, fractal_noise, smooth, spread

_STEMS = 60
_BRANCHES, _TWIGS = 16, 5  # on each side
_FORK = math.pi / 3
_SHARE = 0.32  # of its stem that the longest branch has in length
_BLUR = 1 / 320  # of the shorter side
_FILM = 0.35  # how much of the brightness is a film without crystals
_TAPS_PER_PIXEL = 1.25


@dataclass(frozen=True)
class Needles:
    """Straight crystals: from where each goes and how far, (N,) rows and columns of pixels."""

    row: Pixels
    column: Pixels
    down: Pixels
    right: Pixels

    def at(self, shares: Pixels) -> tuple[Pixels, Pixels]:
        """Return the rows and columns of the points at these shares of each length, (N, S)."""
        return (
            self.row[:, None] + self.down[:, None] * shares,
            self.column[:, None] + self.right[:, None] * shares,
        )

    def branches(self, count: int) -> Needles:
        """Return what grows on both sides, the shorter the nearer to the tip."""
        shares = ((np.arange(count) + 0.5) / count).astype(np.float32)
        row, column = (np.tile(each.ravel(), 2) for each in self.at(shares))
        down, right = (
            (_SHARE * each[:, None] * (1 - shares)).ravel() for each in (self.down, self.right)
        )
        sine, cosine = math.sin(_FORK), math.cos(_FORK)
        return Needles(
            row,
            column,
            np.concatenate([cosine * down + sine * right, cosine * down - sine * right]),
            np.concatenate([cosine * right - sine * down, cosine * right + sine * down]),
        )

    def draw(self, height: int, width: int) -> Pixels:
        """Return how much of the needles' lengths lies in each pixel, roughly."""
        lengths = np.hypot(self.down, self.right)
        count = 1 + math.ceil(_TAPS_PER_PIXEL * float(lengths.max()))
        shares = np.linspace(0, 1, count, dtype=np.float32)
        rows, columns = (np.floor(each).astype(np.int32) for each in self.at(shares))
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        weights = np.broadcast_to((lengths / count)[:, None], rows.shape)[inside]
        places = rows[inside] * width + columns[inside]
        drawn = np.bincount(places, weights, height * width).reshape(height, width)
        return drawn.astype(np.float32)


def grow_ice(size: tuple[int, int], generator: Generator) -> Pixels:
    """Return how bright the ice is at each pixel, (height, width) from 0 to 1."""
    height, width = size
    stems = _seed_stems(height, width, generator)
    branches = stems.branches(_BRANCHES)
    twigs = branches.branches(_TWIGS)
    drawn = 1.5 * stems.draw(height, width) + branches.draw(height, width)
    drawn += 0.6 * twigs.draw(height, width)
    crystals = 1 - np.exp(-smooth(drawn, min(height, width) * _BLUR))
    film = fractal_noise(size, 1.6, generator)
    return spread(_FILM * film + (1 - _FILM) * crystals * (0.4 + 0.6 * film))


def _seed_stems(height: int, width: int, generator: Generator) -> Needles:
    row, column = generator.uniform(-0.1, 1.1, (2, _STEMS)) * [[height], [width]]
    length = min(height, width) * generator.uniform(0.1, 0.55, _STEMS)
    angle = generator.uniform(0, 2 * math.pi, _STEMS)
    parts = (row, column, length * np.sin(angle), length * np.cos(angle))
    return Needles(*(part.astype(np.float32) for part in parts))
