from __future__ import annotations

import numpy as np
import pytest

from ftcore.images.corruptions import blur
from ftcore.images.corruptions.pixels import Pixels

GENERATOR = np.random.default_rng(0)


def point(side: int) -> Pixels:
    image = np.zeros((1, side, side), dtype=np.float32)
    image[0, side // 2, side // 2] = 1
    return image


def reach(image: Pixels) -> float:
    """The root mean square distance of what is bright from the middle."""
    side = image.shape[-1]
    y, x = np.mgrid[:side, :side] - side // 2
    return float(np.sqrt((image[0] * (y**2 + x**2)).sum() / image.sum()))


def test_defocus_spreads_a_point_over_a_disk() -> None:
    blurred = blur.defocus_blur(point(224), 5, GENERATOR)
    assert blurred.sum() == pytest.approx(1, abs=1e-3)
    assert reach(blurred.clip(0)) == pytest.approx(10 / np.sqrt(2), rel=0.05)


def test_motion_spreads_a_point_along_a_line() -> None:
    blurred = blur.motion_blur(point(224), 5, np.random.default_rng(1)).clip(0)
    y, x = np.mgrid[:224, :224] - 112
    spread = np.cov(np.stack([y.ravel(), x.ravel()]), aweights=blurred.ravel())
    across, along = np.linalg.eigvalsh(spread)
    assert np.sqrt(along) == pytest.approx(20 / np.sqrt(12), rel=0.1)
    assert across < along / 20


def test_zoom_leaves_the_middle_and_moves_the_edge_outwards() -> None:
    image = np.zeros((1, 225, 225), dtype=np.float32)
    image[0, :, 180] = 1
    columns = blur.zoom_blur(image, 5, GENERATOR)[0].mean(0)
    assert columns[:180].max() < 1e-3
    # At 180 it is 68 from the middle, and the last zoom, by 1.31, puts it at 89.
    assert columns[182:200].min() > 0
    assert columns[203:].max() < 1e-3


def test_glass_shows_pixels_from_nearby_only() -> None:
    image = np.zeros((1, 64, 64), dtype=np.float32)
    image[:, :, 32:] = 1
    seen = blur.glass_blur(image, 3, np.random.default_rng(0))
    assert seen[0, :, :24].max() < 0.01
    assert seen[0, :, 40:].min() > 0.99
    assert 0.1 < seen[0, :, 32].std() < 0.5


@pytest.mark.parametrize("name", ["defocus_blur", "glass_blur", "motion_blur", "zoom_blur"])
def test_a_blur_leaves_an_even_image_as_it_is(name: str) -> None:
    even = np.full((3, 31, 40), 0.4, dtype=np.float32)
    blurred = getattr(blur, name)(even, 5, np.random.default_rng(0))
    assert np.allclose(blurred, 0.4, atol=1e-4)
