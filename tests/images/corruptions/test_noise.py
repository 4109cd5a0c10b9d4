"""What is added is held against the law it is drawn from, on images of one value."""

from __future__ import annotations

import numpy as np
import pytest

from ftcore.images.corruptions.noise import gaussian_noise, impulse_noise, shot_noise
from ftcore.images.corruptions.pixels import Pixels


def flat(value: float, side: int) -> Pixels:
    return np.full((3, side, side), value, dtype=np.float32)


@pytest.mark.parametrize(("side", "severity", "deviation"), [(224, 3, 0.18), (32, 5, 0.10)])
def test_gaussian_noise_has_its_deviation(side: int, severity: int, deviation: float) -> None:
    noisy = gaussian_noise(flat(0.5, side), severity, np.random.default_rng(0))
    assert noisy.std() == pytest.approx(deviation, rel=0.05)
    assert noisy.mean() == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(("side", "severity", "photons"), [(224, 5, 3), (32, 1, 500)])
def test_shot_noise_is_a_count_of_photons(side: int, severity: int, photons: int) -> None:
    noisy = shot_noise(flat(0.25, side), severity, np.random.default_rng(0))
    assert noisy.var() == pytest.approx(0.25 / photons, rel=0.1)
    counts = noisy * photons
    assert np.abs(counts - np.rint(counts)).max() < 1e-3
    assert not shot_noise(flat(0, side), severity, np.random.default_rng(0)).any()


def test_impulse_noise_is_as_often_white_as_black() -> None:
    noisy = impulse_noise(flat(0.5, 224), 5, np.random.default_rng(0))
    assert (noisy == 0).mean() == pytest.approx(0.135, abs=0.005)
    assert (noisy == 1).mean() == pytest.approx(0.135, abs=0.005)
    assert (noisy == 0.5).mean() == pytest.approx(0.73, abs=0.01)
