"""What the families of corruptions share: images as floats, filters of them, and random fields."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Pixels: TypeAlias = NDArray[np.float32]

_TAPS_PER_PIXEL = 4  # of a line that is drawn as a kernel


def frame(image: Pixels) -> tuple[int, int]:
    """Return height and width."""
    height, width = image.shape[-2:]
    return int(height), int(width)


def shorter_side(image: Pixels) -> int:
    """Return the smaller of height and width."""
    height, width = frame(image)
    return min(height, width)


def smooth(fields: Pixels, sigma: float) -> Pixels:
    """Blur along the last two dimensions with a Gaussian, mirrored at the edges."""
    from scipy.ndimage import gaussian_filter

    sigmas = (0.0,) * (fields.ndim - 2) + (sigma, sigma)
    smoothed: Pixels = gaussian_filter(fields, sigmas, mode="reflect")
    return smoothed


def convolve(image: Pixels, kernel: Pixels) -> Pixels:
    """Convolve each channel with a kernel (odd, odd), the image mirrored at its edges."""
    from scipy.fft import irfft2, next_fast_len, rfft2

    height, width = frame(image)
    y, x = kernel.shape[0] // 2, kernel.shape[1] // 2
    padded = np.pad(image, ((0, 0), (y, y), (x, x)), mode="symmetric")
    shape = tuple(next_fast_len(length, real=True) for length in padded.shape[-2:])
    blurred: Pixels = irfft2(rfft2(padded, shape) * rfft2(kernel, shape), shape)
    inner: Pixels = blurred[:, 2 * y : 2 * y + height, 2 * x : 2 * x + width]
    return inner


def disk_kernel(radius: float) -> Pixels:
    """Return a disk that sums to 1; pixels at its rim count by how much of them is inside."""
    reach = math.ceil(radius)
    offsets = np.arange(-reach, reach + 1)
    distance = np.hypot(offsets[:, None], offsets)
    disk = np.clip(radius + 0.5 - distance, 0, 1).astype(np.float32)
    return normalised(disk)


def normalised(kernel: Pixels) -> Pixels:
    """Return the kernel so that it sums to 1."""
    summing: Pixels = kernel / kernel.sum()
    return summing


def line_kernel(length: float, angle: float) -> Pixels:
    """Return a line through the middle that sums to 1, at so many radians from the x axis."""
    reach = math.ceil(length / 2) + 1
    along = np.linspace(-length / 2, length / 2, 1 + _TAPS_PER_PIXEL * math.ceil(length))
    y, x = along * math.sin(angle) + reach, along * math.cos(angle) + reach
    top, left = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), dtype=np.float32)
    for row, share_y in ((top, 1 - (y - top)), (top + 1, y - top)):
        for column, share_x in ((left, 1 - (x - left)), (left + 1, x - left)):
            np.add.at(kernel, (row, column), (share_y * share_x).astype(np.float32))
    return normalised(kernel)


def fractal_noise(size: tuple[int, int], slope: float, generator: Generator) -> Pixels:
    """Return noise (height, width) from 0 to 1 whose amplitude falls as frequency ** -slope."""
    from scipy.fft import irfft2, next_fast_len, rfft2

    # The noise is periodic; twice the size, the part that is kept is not.
    shape = tuple(next_fast_len(2 * length, real=True) for length in size)
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1]))
    frequency[0, 0] = np.inf
    white = generator.standard_normal(shape, np.float32)
    spectrum = rfft2(white) * (frequency**-slope).astype(np.float32)
    field: Pixels = irfft2(spectrum, shape)[: size[0], : size[1]]
    return spread(field)


def spread(field: Pixels) -> Pixels:
    """Move and scale a field so that it goes from 0 to 1; a constant one is 0."""
    field = field - field.min()
    highest = field.max()
    return field / highest if highest > 0 else field


def to_grey(image: Pixels) -> Pixels:
    """Return the luma (1, height, width) of an image (1 or 3, height, width); ITU-R BT.601."""
    if len(image) == 1:
        return image
    weights = np.array([0.299, 0.587, 0.114], dtype=np.float32)[:, None, None]
    grey: Pixels = (image * weights).sum(axis=0, keepdims=True)
    return grey
