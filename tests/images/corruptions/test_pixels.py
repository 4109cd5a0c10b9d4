from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import convolve as scipy_convolve

from ftcore.images.corruptions.pixels import (
    Pixels,
    convolve,
    disk_kernel,
    fractal_noise,
    line_kernel,
    smooth,
    spread,
    to_grey,
)
from tests.images.corruptions.pictures import landscape


@pytest.mark.parametrize("shape", [(12, 17), (1, 9), (9, 1), (1, 1), (3, 40)])
def test_convolving_equals_scipy_at_any_size(shape: tuple[int, int]) -> None:
    image = landscape(*shape)
    kernel: Pixels = np.arange(1, 36, dtype=np.float32).reshape(5, 7) / np.float32(630)
    expected = [scipy_convolve(channel, kernel, mode="reflect") for channel in image]
    assert np.allclose(convolve(image, kernel), expected, atol=1e-5)


def test_a_disk_counts_its_rim_in_part() -> None:
    # Around the middle: 1 whole, 4 at distance 1 by 0.3, 4 at distance 1.41 not at all.
    expected = np.array([[0, 0.3, 0], [0.3, 1, 0.3], [0, 0.3, 0]]) / 2.2
    assert disk_kernel(0.8) == pytest.approx(expected, abs=1e-6)


def test_a_level_line_is_a_row_and_an_upright_one_a_column() -> None:
    level, upright = line_kernel(4, 0), line_kernel(4, math.pi / 2)
    middle = len(level) // 2
    assert level[middle].sum() == pytest.approx(1)
    assert upright[:, middle].sum() == pytest.approx(1)
    assert (level[middle] > 1e-3).sum() == 5
    moments = (level[middle] * (np.arange(len(level)) - middle) ** 2).sum()
    assert math.sqrt(moments) == pytest.approx(4 / math.sqrt(12), rel=0.15)


def test_smoothing_leaves_the_mean_and_spreads_a_point_by_sigma() -> None:
    field = np.zeros((1, 41, 41), dtype=np.float32)
    field[0, 20, 20] = 1
    smoothed = smooth(field, 2)
    assert smoothed.sum() == pytest.approx(1, abs=1e-4)
    offsets = np.arange(-20, 21)
    assert (smoothed[0].sum(0) * offsets**2).sum() == pytest.approx(4, rel=0.05)


def test_fractal_noise_goes_from_0_to_1_and_falls_with_frequency() -> None:
    noise = fractal_noise((128, 128), 2.0, np.random.default_rng(0))
    assert noise.min() == 0
    assert noise.max() == 1
    power = np.abs(np.fft.fft(noise - noise.mean(), axis=1)[:, 1:33]) ** 2
    low, high = power[:, :8].mean(), power[:, 24:].mean()
    assert low > 20 * high


def test_a_constant_field_spreads_to_nothing() -> None:
    assert not spread(np.full((2, 2), 0.7, dtype=np.float32)).any()


def test_grey_is_the_luma() -> None:
    image = np.array([1.0, 0.5, 0.0], dtype=np.float32).reshape(3, 1, 1)
    assert to_grey(image).item() == pytest.approx(0.299 + 0.587 / 2)
    assert to_grey(image[:1]) is not None
    assert to_grey(image[:1]).item() == 1
