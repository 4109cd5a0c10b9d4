"""Standard augmentations of images, by name, joined with "+", as in crop+flip.

Each example has a random generator of its own, so that what becomes of it depends on its seed
alone: not on the batch it is in, on the order, or on the number of workers.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence
from dataclasses import Field, astuple, fields, replace
from typing import Any, ClassVar, Protocol, TypeAlias

from numpy.random import Generator
from torch import Tensor

from ftcore.errors import UsageError
from ftcore.images.colour import ColourJitter
from ftcore.images.geometry import Flip, PadCrop, RandomErasing, RandomResizedCrop, Rotate
from ftcore.images.trivial_augment import TrivialAugment


class PixelAugmentation(Protocol):
    """Changes images, of the size the backbone gets, at random.

    A frozen dataclass without fields, or with one number, which `name=number` sets.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    name: ClassVar[str]
    bounds: ClassVar[tuple[float, float]]  # of that number

    def __call__(self, images: Tensor, generators: Sequence[Generator]) -> Tensor:
        """Map uint8 (N, 1 or 3, height, width) to the same shape, with one generator an example."""


Augmentation: TypeAlias = PixelAugmentation | RandomResizedCrop

_KINDS: tuple[type[Augmentation], ...] = (
    RandomResizedCrop,
    Flip,
    PadCrop,
    ColourJitter,
    Rotate,
    RandomErasing,
    TrivialAugment,
)
_BY_NAME = {kind.name: kind for kind in _KINDS}


def parse_augmentations(spec: str) -> tuple[Augmentation, ...]:
    """Read "none", or names joined with "+", each with a number where wanted: crop=0.3+flip.

    Raises UsageError for an unknown name, a name given twice, and a number out of bounds.
    """
    if spec == "none":
        return ()
    augmentations = tuple(_parse(part, spec) for part in spec.split("+"))
    names = [augmentation.name for augmentation in augmentations]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"augmentation {name!r} is given twice in {spec!r}")
    return augmentations


def format_augmentation(augmentation: Augmentation) -> str:
    """Return the text that `parse_augmentations` reads, with the number written out."""
    return "=".join([augmentation.name, *map(str, astuple(augmentation))])


def _parse(part: str, spec: str) -> Augmentation:
    name, equals, text = part.partition("=")
    if name not in _BY_NAME:
        near = difflib.get_close_matches(name, _BY_NAME, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: none, {', '.join(_BY_NAME)}"
        raise UsageError(f"unknown augmentation {name!r} in {spec!r}; {hint}")
    augmentation = _BY_NAME[name]()
    if not equals:
        return augmentation
    if not fields(augmentation):
        raise UsageError(f"augmentation {name!r} takes no number, but {spec!r} gives {text!r}")
    number = fields(augmentation)[0].name
    low, high = augmentation.bounds
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise UsageError(
            f"augmentation {part!r} in {spec!r}: {number} must be a number from {low} to {high}"
        )
    return replace(augmentation, **{number: value})
