from __future__ import annotations

import colorsys

import numpy as np
import pytest

from ftcore.images.corruptions.weather import brightness, fog, frost, snow
from tests.images.corruptions.pictures import landscape


def test_brightness_adds_to_the_value_alone() -> None:
    image = landscape(32, 32)
    brighter = brightness(image, 5, np.random.default_rng(0))
    for place in ((0, 0), (13, 7), (31, 31)):
        hue, saturation, value = colorsys.rgb_to_hsv(*image[:, *place].tolist())
        expected = colorsys.hsv_to_rgb(hue, saturation, min(1.0, value + 0.3))
        assert brighter[:, *place] == pytest.approx(expected, abs=1e-5)


def test_a_black_image_brightens_to_grey() -> None:
    assert np.all(brightness(np.zeros((3, 32, 32), np.float32), 1, np.random.default_rng(0)) > 0.04)


def test_fog_takes_contrast_and_leaves_the_rest_visible() -> None:
    image = landscape(224, 224)
    foggy = fog(image, 1, np.random.default_rng(0))
    clouds = (foggy - image / 2.2) / (1 - 1 / 2.2)  # the haze is 1.2
    assert np.ptp(clouds, axis=0).max() < 1e-3  # white
    assert clouds.mean() == pytest.approx(0.65, abs=0.02)
    assert clouds.std() == pytest.approx(0.18, rel=0.1)
    steps = np.abs(np.diff(clouds[0], axis=1)).mean()
    assert steps < np.abs(np.diff(image[0], axis=1)).mean()


@pytest.mark.parametrize("fall", [snow, frost])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_falls_brightens_dark_images_here_and_there(fall: object, channels: int) -> None:
    assert callable(fall)
    dark = np.full((channels, 96, 96), 0.1, dtype=np.float32)
    covered = fall(dark, 4, np.random.default_rng(0))
    assert covered.shape == dark.shape
    assert covered.mean() > 0.15
    assert covered.std() > 0.05
