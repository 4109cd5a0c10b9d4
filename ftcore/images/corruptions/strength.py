"""How strong a corruption is: a parameter at five severities, by the size of the image."""

from __future__ import annotations

import math
from dataclasses import dataclass

SMALL, LARGE = 32, 224  # pixels: the images of CIFAR-10-C and of ImageNet-C


@dataclass(frozen=True)
class Strength:
    """A parameter at severities 1 to 5, for images whose shorter side is 32 and 224 pixels.

    Between these sizes it goes as a power of the side. Beyond them a length, which is in pixels,
    grows and shrinks with the image, and anything else stays as it is at the nearer size.
    """

    small: tuple[float, float, float, float, float]
    large: tuple[float, float, float, float, float]
    is_length: bool = False

    def at(self, severity: int, side: int) -> float:
        """Return the parameter for an image whose shorter side has so many pixels."""
        nearest = min(max(side, SMALL), LARGE)
        share = math.log(nearest / SMALL) / math.log(LARGE / SMALL)
        small, large = self.small[severity - 1], self.large[severity - 1]
        value: float = small ** (1 - share) * large**share
        return value * side / nearest if self.is_length else value
