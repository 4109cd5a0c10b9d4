from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ftcore import ImagePreprocess, UsageError
from ftcore.images.augment import format_augmentation, parse_augmentations
from ftcore.images.geometry import Flip, PadCrop, RandomResizedCrop

NAMES = ["crop", "flip", "pad-crop", "color", "rotate", "erase", "trivial"]
SPECS = [*NAMES, "crop+flip+color+rotate+erase", "pad-crop+trivial"]
SEEDS = [5, 2**62, 0, 77, 123456789, 8]


def _images(channels: int) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (6, channels, 20, 24), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("channels", [1, 3])
def test_an_example_depends_on_its_seed_alone(spec: str, channels: int) -> None:
    preprocess = ImagePreprocess(16).augmented(spec)
    images = _images(channels)
    together = preprocess(images, SEEDS)
    order = [4, 0, 5, 2, 1, 3]
    shuffled = preprocess(images[order], [SEEDS[index] for index in order])
    assert torch.equal(together, preprocess(images, SEEDS))
    assert torch.equal(together[order], shuffled)
    for index, seed in enumerate(SEEDS):
        assert torch.equal(together[index : index + 1], preprocess([images[index]], [seed]))


@pytest.mark.parametrize("spec", SPECS)
def test_grey_beside_coloured(spec: str) -> None:
    preprocess = ImagePreprocess(16).augmented(spec)
    grey, coloured = _images(1)[0], _images(3)[0]
    assert torch.equal(preprocess([coloured, grey], [1, 2])[1:], preprocess([grey], [2]))


def test_worker_processes_change_nothing() -> None:
    preprocess = ImagePreprocess(16).augmented("crop+flip+color+rotate+erase")
    images = _images(3)

    def make(indices: list[int]) -> Tensor:
        return preprocess(images[indices], [SEEDS[index] for index in indices])

    loader: DataLoader[Any] = DataLoader(
        range(6),  # type: ignore[arg-type]
        batch_size=2,
        num_workers=2,
        collate_fn=make,
    )
    assert torch.equal(torch.cat(list(loader)), preprocess(images, SEEDS))


@pytest.mark.parametrize("name", NAMES)
def test_seeds_make_a_difference(name: str) -> None:
    preprocess = ImagePreprocess(16).augmented(name)
    image = _images(3)[:1]
    made = preprocess(image.expand(24, -1, -1, -1), range(24))
    assert made.shape == (24, 3, 16, 16)
    assert len({row.numpy().tobytes() for row in made}) > 1
    plain = ImagePreprocess(16)(image)
    assert any(not torch.equal(row, plain[0]) for row in made)


def test_parse() -> None:
    assert parse_augmentations("none") == ()
    assert parse_augmentations("flip") == (Flip(),)
    assert parse_augmentations("crop=0.3+pad-crop+flip=1") == (
        RandomResizedCrop(0.3),
        PadCrop(),
        Flip(1.0),
    )


@pytest.mark.parametrize("name", NAMES)
def test_format_is_what_parse_reads(name: str) -> None:
    [augmentation] = parse_augmentations(name)
    text = format_augmentation(augmentation)
    assert text.startswith(name)
    assert parse_augmentations(text) == (augmentation,)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("flop", r"unknown augmentation 'flop' in 'flop'; did you mean 'flip'\?"),
        ("crop+colour", r"did you mean 'color'\?"),
        ("mixup", "known: none, crop, flip, pad-crop, color, rotate, erase, trivial"),
        ("", "unknown augmentation ''"),
        ("crop+", r"unknown augmentation '' in 'crop\+'"),
        ("crop+none", "unknown augmentation 'none'"),
        ("flip+flip=1", "'flip' is given twice"),
        ("flip=2", "probability must be a number from 0 to 1"),
        ("crop=0", "smallest must be a number from 0.01 to 1"),
        ("rotate=-5", "degrees must be a number from 0 to 180"),
        ("rotate=far", "'rotate=far' in 'rotate=far': degrees must be a number"),
        ("erase=nan", "probability must be"),
        ("erase=", "probability must be"),
        ("trivial=3", "'trivial' takes no number, but 'trivial=3' gives '3'"),
    ],
)
def test_wrong_spec(spec: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_augmentations(spec)
