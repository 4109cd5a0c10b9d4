"""Which image size a backbone gets: the one asked for, or the smallest useful one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ftcore import UsageError


@dataclass(frozen=True)
class Sizes:
    """The square image sizes that an architecture works with, in pixels."""

    smallest: int = 1  # below it a layer's output is empty
    # The smallest that is chosen unasked. Networks trained at 224 pixels see next to nothing in
    # less: of mobilenet_v2's features of CIFAR-10 at 32 pixels, 99.98 % are zero.
    useful: int = 96
    multiple: int = 1  # sizes chosen unasked are multiples of it
    is_strict: bool = False  # whether all sizes must be


def check_size(name: str, sizes: Sizes, size: int) -> None:
    """Raise UsageError where `name` cannot take images of `size`."""
    if size < sizes.smallest:
        raise UsageError(
            f"image size {size} is too small for {name}: it needs at least {sizes.smallest} pixels"
        )
    if sizes.is_strict and size % sizes.multiple:
        below, above = _down(size, sizes.multiple), _up(size, sizes.multiple)
        raise UsageError(
            f"image size {size} does not fit {name}, which cuts images into patches of "
            f"{sizes.multiple} pixels: give {below} or {above} (the smallest is {sizes.smallest})"
        )


def choose_size(sizes: Sizes, trained: int, input_shape: Sequence[int]) -> int:
    """Return the smallest useful size for raw images of `input_shape` (height, width).

    That is their shorter side, rounded up to what the architecture likes, but never more than
    `trained`, the size its weights were trained for; and `trained` where the shape is not known.
    """
    if len(input_shape) < 2:
        return trained
    wanted = max(sizes.useful, min(input_shape[-2:]))
    return min(trained, _up(wanted, sizes.multiple))


def _up(size: int, multiple: int) -> int:
    return math.ceil(size / multiple) * multiple


def _down(size: int, multiple: int) -> int:
    return size // multiple * multiple
