from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ftcore import (
    ConfigError,
    Corruptible,
    DataError,
    ImagePreprocess,
    Preprocess,
    UsageError,
)
from ftcore.images.preprocess import IMAGENET_MEAN, IMAGENET_STD

SIZES = [(8, 8), (28, 28), (32, 32), (90, 120), (120, 90), (17, 313), (333, 100), (64, 64)]
FRAMES = [(64, None), (24, None), (64, 64), (56, 64), (24, 31)]
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def _noise(height: int, width: int, channels: int = 3, seed: int = 0) -> Tensor:
    generator = np.random.default_rng(seed)
    return torch.from_numpy(generator.integers(0, 256, (channels, height, width), dtype=np.uint8))


def _photograph(height: int, width: int) -> Tensor:
    # Smooth, with an edge: what photographs are made of.
    coarse = Image.fromarray(_noise(5, 7).permute(1, 2, 0).numpy())
    smooth = np.array(coarse.resize((width, height), Image.Resampling.BICUBIC))
    smooth[:, width // 2 :] //= 2
    return torch.from_numpy(smooth).permute(2, 0, 1)


def _reference(image: Tensor, size: int, resize: int | None, resample: Image.Resampling) -> Tensor:
    """Pillow's resize, width first, torchvision's centre crop, then to 0 … 1 and normalised."""
    height, width = image.shape[1:]
    target = (size, size)
    if resize is not None:
        short = min(height, width)
        target = (int(resize * width / short), int(resize * height / short))
    pillow = Image.fromarray(image.permute(1, 2, 0).numpy())
    pillow = pillow.resize((target[0], height), resample).resize(target, resample)
    left, top = (int(round((length - size) / 2.0)) for length in target)  # noqa: RUF046
    pixels = np.array(pillow.crop((left, top, left + size, top + size)), np.float64) / 255
    return torch.from_numpy((pixels - IMAGENET_MEAN) / IMAGENET_STD).permute(2, 0, 1)


def _grey_levels(difference: Tensor) -> float:
    return float((difference * torch.tensor(IMAGENET_STD).view(3, 1, 1) * 255).abs().max())


@pytest.mark.parametrize(("size", "resize"), FRAMES)
@pytest.mark.parametrize(
    ("interpolation", "levels"),
    [("bilinear", 1), ("bicubic", 2)],
)
def test_equals_pillow(
    size: int, resize: int | None, interpolation: Literal["bilinear", "bicubic"], levels: int
) -> None:
    preprocess = ImagePreprocess(size, resize, interpolation=interpolation)
    for shape in SIZES:
        for image in (_noise(*shape), _photograph(*shape)):
            made = preprocess([image])[0]
            expected = _reference(image, size, resize, FILTERS[interpolation])
            assert _grey_levels(made - expected) <= levels + 1e-3, shape


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_photographs_are_within_one_grey_level(
    interpolation: Literal["bilinear", "bicubic"],
) -> None:
    preprocess = ImagePreprocess(56, 64, interpolation=interpolation)
    for shape in SIZES:
        image = _photograph(*shape)
        expected = _reference(image, 56, 64, FILTERS[interpolation])
        assert _grey_levels(preprocess([image])[0] - expected) <= 1 + 1e-3, shape


def test_normalisation_is_exact_where_nothing_is_resized() -> None:
    image = torch.arange(256, dtype=torch.uint8).view(1, 16, 16).expand(3, -1, -1)
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (IMAGENET_MEAN, IMAGENET_STD))
    assert torch.equal(ImagePreprocess(16)([image])[0], (image / 255 - mean) / std)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("means", [1, 3])
def test_channels_follow_the_mean(channels: int, means: int) -> None:
    preprocess = ImagePreprocess(8, mean=(0.5,) * means, std=(0.25,) * means)
    image = _noise(8, 8, channels)
    if means == 1 and channels == 3:
        expected = np.array(Image.fromarray(image.permute(1, 2, 0).numpy()).convert("L"))[None]
    else:
        expected = np.repeat(image.numpy(), means // channels, axis=0)
    made = preprocess([image])[0]
    np.testing.assert_allclose(made.numpy(), (expected / 255.0 - 0.5) / 0.25, atol=1e-6)


@pytest.mark.parametrize(("size", "resize"), FRAMES)
@pytest.mark.parametrize("channels", [1, 3])
def test_batch_equals_one_by_one(size: int, resize: int | None, channels: int) -> None:
    preprocess = ImagePreprocess(size, resize)
    images = [_noise(30, 40, channels, seed) for seed in range(5)]
    stacked = preprocess(torch.stack(images))
    assert stacked.shape == (5, 3, size, size)
    assert stacked.dtype == torch.float32
    assert stacked.is_contiguous()
    assert torch.equal(stacked, preprocess(images))
    assert torch.equal(stacked, torch.cat([preprocess([image]) for image in images]))


def test_sizes_and_channels_may_differ_in_a_batch() -> None:
    preprocess = ImagePreprocess(16, 20)
    images = [_noise(30, 40), _noise(9, 9, 1), _noise(40, 30), _noise(30, 40, 1), _noise(30, 40)]
    assert torch.equal(preprocess(images), torch.cat([preprocess([image]) for image in images]))


@pytest.mark.parametrize("layout", ["planes", "interleaved"])
def test_memory_layout_of_the_input_does_not_matter(layout: str) -> None:
    image = _noise(30, 40)
    if layout == "interleaved":
        image = image.permute(1, 2, 0).contiguous().permute(2, 0, 1)
    assert torch.equal(ImagePreprocess(16)([image]), ImagePreprocess(16)([_noise(30, 40)]))


def test_input_is_not_changed() -> None:
    image = _noise(16, 16)
    ImagePreprocess(16).augmented("erase=1+color")([image], [3])
    assert torch.equal(image, _noise(16, 16))


def test_very_long_image_is_cropped_before_it_is_resized() -> None:
    stripe = torch.zeros(3, 2, 60_001, dtype=torch.uint8)
    stripe[:, :, 29_999:30_002] = 255
    made = ImagePreprocess(64, 64, mean=(0.0,) * 3, std=(1.0,) * 3)([stripe])
    assert made.shape == (1, 3, 64, 64)
    assert made[0, 0, 32, 24:40].min() > 0.5  # the middle of the stripe


@pytest.mark.parametrize(
    "raw",
    [
        torch.zeros(2, 3, 8, 8),
        [torch.zeros(3, 8, 8)],
        torch.zeros(2, 2, 8, 8, dtype=torch.uint8),
        [torch.zeros(8, 8, dtype=torch.uint8)],
    ],
)
def test_raw_examples_that_are_no_images(raw: Any) -> None:
    with pytest.raises(DataError, match="must be uint8 with 1 or 3 channels, but"):
        ImagePreprocess(8)(raw)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"size": 0}, "size of 0"),
        ({"size": 224, "resize": 200}, "224 cannot be cropped from a side of 200"),
        ({"size": 8, "mean": (0.5,)}, "1 or 3 numbers"),
        ({"size": 8, "mean": (0.5, 0.5), "std": (1.0, 1.0)}, "1 or 3 numbers"),
        ({"size": 8, "std": (1.0, 0.0, 1.0)}, "no std be 0"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        ImagePreprocess(**arguments)


def test_augmented_copy() -> None:
    plain = ImagePreprocess(16)
    random = plain.augmented("crop=0.5+flip")
    assert not plain.is_random
    assert random.is_random
    assert random.describe()["augmentations"] == ["crop=0.5", "flip=0.5"]
    assert random.augmented("none") == plain
    assert pickle.loads(pickle.dumps(random)) == random
    with pytest.raises(UsageError, match="did you mean 'flip'"):
        plain.augmented("flop")


def test_seeds_are_needed_by_augmentations() -> None:
    with pytest.raises(ValueError, match="2 images need a seed each, but 1 were given"):
        ImagePreprocess(8).augmented("flip")(torch.zeros(2, 1, 8, 8, dtype=torch.uint8), [1])


def test_description_is_complete() -> None:
    plain = ImagePreprocess(16)
    others: dict[str, Any] = {
        "size": 17,
        "resize": 20,
        "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5),
        "interpolation": "bicubic",
        "augmentations": plain.augmented("flip").augmentations,
        "corruption": plain.corrupted("fog", 1).corruption,
    }
    assert others.keys() == {field.name for field in dataclasses.fields(plain)}
    described = [json.dumps(plain.describe())]
    for name, value in others.items():
        described.append(json.dumps(dataclasses.replace(plain, **{name: value}).describe()))
    assert len(set(described)) == len(others) + 1


def test_read_file_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b/2.png", "a.png", ".hidden.png", "b/.DS_Store", "b/notes.txt"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 2), 9).save(tmp_path / "photos" / name, format="PNG")
    monkeypatch.chdir(tmp_path)
    preprocess = ImagePreprocess(8)
    assert isinstance(preprocess, Preprocess)
    found = list(preprocess.read(Path("photos")))
    assert [name for name, _ in found] == ["photos/a.png", "photos/b/2.png"]
    assert found[0][1].tolist() == [[[9] * 4] * 2]
    # A file that is named is read whatever its suffix.
    assert [name for name, _ in preprocess.read(Path("photos/b/notes.txt"))] == [
        "photos/b/notes.txt"
    ]


def test_read_what_cannot_be_read(tmp_path: Path) -> None:
    preprocess = ImagePreprocess(8)
    (tmp_path / "notes.txt").write_text("no image")
    for path, reason in [
        (tmp_path, r"holds no images \(1 other files\)"),
        (tmp_path / "nowhere", "nowhere cannot be read"),
        (tmp_path / "notes.txt", r"notes\.txt cannot be decoded"),
    ]:
        with pytest.raises(DataError, match=reason):
            list(preprocess.read(path))


@pytest.mark.shared_data
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_real_photographs(shared_data: Path, interpolation: Literal["bilinear", "bicubic"]) -> None:
    preprocess = ImagePreprocess(224, 256, interpolation=interpolation)
    paths = sorted((shared_data / "hymenoptera/hymenoptera_data/val/bees").iterdir())[:12]
    for path in paths:
        [(_, image)] = preprocess.read(path)
        expected = _reference(image, 224, 256, FILTERS[interpolation])
        difference = preprocess([image])[0] - expected
        levels = (difference * torch.tensor(IMAGENET_STD).view(3, 1, 1) * 255).abs()
        assert levels.max() <= 2 + 1e-3
        assert (levels > 1 + 1e-3).float().mean() < 1e-4


def test_images_are_corrupted_as_the_backbone_gets_them() -> None:
    raw = _photograph(90, 120)
    plain = ImagePreprocess(32, 40)
    damaged = plain.corrupted("contrast", 5)
    assert isinstance(plain, Corruptible)
    assert damaged.is_random
    # Contrast at severity 5 and 32 pixels leaves 0.15 of each value's distance to the mean.
    clear = plain([raw])
    expected = clear.mean((2, 3), keepdim=True)
    expected = expected + 0.15 * (clear - expected)
    assert _grey_levels(damaged([raw], [0])[0] - expected[0]) <= 1


@pytest.mark.parametrize("name", ["gaussian_noise", "snow", "jpeg_compression"])
def test_a_grey_image_is_corrupted_alike_beside_coloured_ones(name: str) -> None:
    damaged = ImagePreprocess(28).corrupted(name, 3)
    grey, coloured = _noise(28, 28, 1), _noise(28, 28, 3)
    alone = damaged([grey], [4])
    assert torch.equal(damaged([coloured, grey], [9, 4])[1], alone[0])
    of_one = ImagePreprocess(28, mean=(0.5,), std=(0.5,)).corrupted(name, 3)
    assert of_one([grey], [4]).shape == (1, 1, 28, 28)


def test_what_is_described_tells_corrupted_inputs_from_others() -> None:
    plain = ImagePreprocess(28)
    described = plain.corrupted("fog", 2).describe()
    assert described == {**plain.describe(), "corruption": {"name": "fog", "severity": 2}}
    with pytest.raises(UsageError, match="did you mean 'fog'"):
        plain.corrupted("fogg", 2)
