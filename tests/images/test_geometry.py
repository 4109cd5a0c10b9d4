from __future__ import annotations

from typing import cast

import numpy as np
import pytest
import torch
from numpy.random import Generator
from torch import Tensor

from ftcore.images.geometry import Flip, PadCrop, RandomErasing, RandomResizedCrop, Rotate


def _generators(count: int) -> list[Generator]:
    return [np.random.default_rng(seed) for seed in range(count)]


def _images(count: int, channels: int = 3, size: int = 12) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (count, channels, size, size)
    return torch.randint(1, 256, shape, dtype=torch.uint8, generator=generator)


def test_flip() -> None:
    images = _images(200)
    mirrored = torch.from_numpy(images.numpy()[..., ::-1].copy())
    assert torch.equal(Flip(0)(images, _generators(200)), images)
    assert torch.equal(Flip(1)(images, _generators(200)), mirrored)
    made = Flip()(images, _generators(200))
    is_mirrored = [torch.equal(a, b) for a, b in zip(made, mirrored, strict=True)]
    is_same = [torch.equal(a, b) for a, b in zip(made, images, strict=True)]
    assert [a != b for a, b in zip(is_mirrored, is_same, strict=True)] == [True] * 200
    assert 70 < sum(is_mirrored) < 130


def test_pad_crop_shifts_by_up_to_its_fraction() -> None:
    images = _images(300, channels=1, size=32)
    made = PadCrop()(images, _generators(300))
    shifts = set()
    for image, shifted in zip(images[:, 0].numpy(), made[:, 0].numpy(), strict=True):
        padded = np.zeros((40, 40), np.uint8)
        padded[4:36, 4:36] = image
        places = [
            (top, left)
            for top in range(9)
            for left in range(9)
            if np.array_equal(padded[top : top + 32, left : left + 32], shifted)
        ]
        assert len(places) == 1
        shifts.add(places[0])
    assert {top for top, _ in shifts} == {left for _, left in shifts} == set(range(9))


@pytest.mark.parametrize("shape", [(60, 80), (80, 60), (64, 64)])
def test_crop_keeps_to_its_area_and_aspect(shape: tuple[int, int]) -> None:
    image = torch.arange(shape[0] * shape[1], dtype=torch.int64).view(1, *shape)
    areas = []
    for generator in _generators(300):
        part = RandomResizedCrop().cut(image, generator)
        height, width = part.shape[1:]
        areas.append(height * width / (shape[0] * shape[1]))
        # One pixel of rounding on each side.
        assert (width - 1) / (height + 1) <= 4 / 3
        assert (width + 1) / (height - 1) >= 3 / 4
        # A part of the image in its own place: rows and columns follow on each other.
        top, left = divmod(int(part[0, 0, 0]), shape[1])
        assert torch.equal(part, image[:, top : top + height, left : left + width])
    assert min(areas) > 0.06
    assert max(areas) > 0.9


@pytest.mark.parametrize(
    ("shape", "expected"), [((4, 400), (4, 5)), ((400, 4), (5, 4)), ((1, 1), (1, 1))]
)
def test_crop_of_a_narrow_image_is_its_middle(
    shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    image = torch.arange(shape[0] * shape[1]).view(1, *shape)
    part = RandomResizedCrop(smallest=0.9).cut(image, np.random.default_rng(0))
    assert part.shape == (1, *expected)
    assert abs(float(part.double().mean() - image.double().mean())) <= max(1, shape[1] / 2)


class _Fixed:
    """Draws what it is told to."""

    def __init__(self, value: float) -> None:
        self.value = value

    def uniform(self, low: float, high: float) -> float:
        assert low <= self.value <= high
        return self.value


@pytest.mark.parametrize("turns", [-1, 0, 1, 2])
def test_rotate_by_right_angles(turns: int) -> None:
    images = _images(2)
    generators = [cast("Generator", _Fixed(90.0 * turns))] * 2
    made = Rotate(180)(images, generators)
    expected = np.rot90(images.numpy(), turns, axes=(2, 3))
    assert torch.equal(made, torch.from_numpy(expected.copy()))


def test_rotate_keeps_the_middle_and_blackens_corners() -> None:
    images = torch.full((1, 1, 21, 21), 200, dtype=torch.uint8)
    made = Rotate(45)(images, [cast("Generator", _Fixed(45.0))])
    assert made[0, 0, 10, 10] == 200
    assert made[0, 0, 0, 0] == 0


def test_erasing_covers_one_rectangle() -> None:
    images = torch.zeros(300, 3, 40, 40, dtype=torch.uint8)
    made = RandomErasing(1)(images, _generators(300))
    assert int(images.sum()) == 0
    shares = []
    for image in made.amax(1).numpy() > 0:
        rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
        box = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert box.mean() > 0.95  # a noise pixel may be black in all channels, if rarely
        shares.append(box.size / image.size)
    assert 0.015 < min(shares) < 0.05
    assert 0.28 < max(shares) < 0.36


def test_erasing_with_probability() -> None:
    images = torch.zeros(200, 1, 20, 20, dtype=torch.uint8)
    made = RandomErasing(0.25)(images, _generators(200))
    assert 25 < int((made.amax((1, 2, 3)) > 0).sum()) < 75
    assert torch.equal(RandomErasing(0)(images, _generators(200)), images)
