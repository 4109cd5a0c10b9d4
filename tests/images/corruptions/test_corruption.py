from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ftcore import ImagePreprocess, UsageError, decode_image, list_images
from ftcore.images.corruptions import CORRUPTIONS, Corruption
from ftcore.interfaces import SEVERITIES
from tests.images.corruptions.pictures import landscape, levels


def pictures(count: int, height: int, width: int, channels: int = 3) -> Tensor:
    images = [levels(landscape(height, width, channels, seed)) for seed in range(count)]
    return torch.from_numpy(np.stack(images))


def damage(images: Tensor, name: str) -> list[float]:
    """The mean absolute difference to the images as they are, at each severity."""
    return [
        float(
            (Corruption(name, severity)(images, range(len(images))).int() - images)
            .abs()
            .float()
            .mean()
        )
        for severity in SEVERITIES
    ]


def test_there_are_the_fifteen_of_the_paper() -> None:
    assert len(CORRUPTIONS) == 15
    assert CORRUPTIONS[0] == "gaussian_noise"
    assert CORRUPTIONS[-1] == "jpeg_compression"


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize(("side", "channels"), [(28, 1), (48, 3)])
def test_damage_grows_with_severity(name: str, side: int, channels: int) -> None:
    grown = damage(pictures(24, side, side, channels), name)
    assert grown == sorted(grown)
    assert 0 < grown[0] < grown[-1]


@pytest.mark.shared_data
@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize(
    ("dataset", "side", "count"),
    [("cifar10-subset/test1000-png", 32, 60), ("hymenoptera/hymenoptera_data/val", 224, 12)],
)
def test_damage_grows_on_photographs(
    shared_data: Path, dataset: str, name: str, side: int, count: int
) -> None:
    paths = [
        path
        for folder in sorted((shared_data / dataset).iterdir())
        for path in list_images(folder)[0]
    ]
    chosen = paths[:: len(paths) // count][:count]
    unit = ImagePreprocess(side, side, mean=(0.0,) * 3, std=(1.0,) * 3)
    images = (unit([decode_image(path) for path in chosen]) * 255).round().byte()
    grown = damage(images, name)
    assert grown == sorted(grown)
    assert 0 < grown[0] < grown[-1]


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (3, 1, 40), (3, 40, 1), (3, 2, 3), (1, 28, 28), (3, 33, 57)]
)
def test_any_size_comes_back_as_it_was(name: str, shape: tuple[int, ...]) -> None:
    images = torch.randint(0, 256, (1, *shape), dtype=torch.uint8)
    for image in (images, torch.zeros_like(images), torch.full_like(images, 255)):
        before = image.clone()
        changed = Corruption(name, 5)(image, [3])
        assert changed.shape == image.shape
        assert changed.dtype == torch.uint8
        assert torch.equal(image, before)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_an_image_fares_alike_in_any_batch(name: str) -> None:
    images = pictures(3, 40, 40)
    corruption = Corruption(name, 4)
    whole = corruption(images, [5, 6, 7])
    assert torch.equal(whole[1:2], corruption(images[1:2], [6]))
    assert torch.equal(whole.flip(0), corruption(images.flip(0), [7, 6, 5]))


@pytest.mark.parametrize("name", ["gaussian_noise", "fog", "frost", "motion_blur"])
def test_draws_differ_by_seed_severity_and_name(name: str) -> None:
    images = pictures(1, 32, 32)
    made = Corruption(name, 3)(images, [1])
    assert not torch.equal(made, Corruption(name, 3)(images, [2]))
    assert not torch.equal(made, Corruption(name, 4)(images, [1]))


@pytest.mark.parametrize(
    ("name", "severity", "words"),
    [
        ("gausian_noise", 1, "did you mean 'gaussian_noise'"),
        ("zzz", 1, "known: gaussian_noise, shot_noise"),
        ("fog", 0, "severity 0 of fog does not exist; choose from 1 to 5"),
        ("fog", 6, "severity 6"),
    ],
)
def test_what_does_not_exist_is_refused(name: str, severity: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Corruption(name, severity)
