from __future__ import annotations

import pytest

from ftcore.images.corruptions.strength import Strength

LENGTH = Strength((1, 2, 3, 4, 5), (7, 14, 21, 28, 35), is_length=True)
SHARE = Strength((0.1, 0.2, 0.3, 0.4, 0.5), (0.4, 0.5, 0.6, 0.7, 0.8))


@pytest.mark.parametrize(
    ("strength", "severity", "side", "expected"),
    [
        (LENGTH, 2, 32, 2),
        (LENGTH, 5, 224, 35),
        (LENGTH, 1, 96, 3),  # in proportion to the side, as both ends are
        (LENGTH, 1, 16, 0.5),
        (LENGTH, 1, 448, 14),
        (SHARE, 1, 32, 0.1),
        (SHARE, 1, 224, 0.4),
        (SHARE, 1, 8, 0.1),
        (SHARE, 3, 1000, 0.6),
        (SHARE, 1, 85, 0.2),  # the geometric means of both sizes, 84.7, and of both strengths
    ],
)
def test_a_strength_is_a_power_of_the_side(
    strength: Strength, severity: int, side: int, expected: float
) -> None:
    assert strength.at(severity, side) == pytest.approx(expected, rel=5e-3)
