from __future__ import annotations

import math

import numpy as np
import pytest

from ftcore.images.corruptions.ice import Needles, grow_ice


def test_branches_leave_at_sixty_degrees_and_get_shorter() -> None:
    zero, length = np.zeros(1, np.float32), np.full(1, 10, np.float32)
    branches = Needles(zero, zero, zero, length).branches(2)
    lengths = np.hypot(branches.down, branches.right)
    cosines = branches.right / lengths
    assert cosines == pytest.approx(np.full(4, math.cos(math.pi / 3)), abs=1e-5)
    assert sorted(np.sign(branches.down)) == [-1, -1, 1, 1]
    assert branches.column == pytest.approx([2.5, 7.5, 2.5, 7.5])
    assert lengths[0] == pytest.approx(3 * lengths[1])


def test_a_needle_is_drawn_where_it_is() -> None:
    row, column = np.array([2.5], np.float32), np.array([1.5], np.float32)
    drawn = Needles(row, column, np.zeros(1, np.float32), np.full(1, 5, np.float32)).draw(6, 9)
    assert drawn.sum() == pytest.approx(5)
    assert set(zip(*np.nonzero(drawn), strict=True)) == {(2, x) for x in range(1, 7)}


@pytest.mark.parametrize("size", [(48, 64), (1, 1), (1, 30), (7, 5)])
def test_ice_goes_from_0_to_1(size: tuple[int, int]) -> None:
    ice = grow_ice(size, np.random.default_rng(0))
    assert ice.shape == size
    assert ice.min() >= 0
    assert ice.max() <= 1
