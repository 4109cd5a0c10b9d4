from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import ftcore
from ftcore import api

Change = Callable[[Image.Image], Image.Image]

EXACT: dict[str, Change] = {"copy.png": lambda image: image, "copy.bmp": lambda image: image}
NEAR: dict[str, Change] = {
    "half.png": lambda image: image.resize((image.width // 2, image.height // 2)),
    "double.jpg": lambda image: image.resize((image.width * 2, image.height * 2)),
    "mirror.jpg": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "jpeg.jpg": lambda image: image,
    "crop.png": lambda image: image.crop(
        (image.width // 20, 0, image.width - image.width // 20, image.height * 9 // 10)
    ),
}


@pytest.fixture
def leaky(shared_data: Path, tmp_path: Path) -> Path:
    """Ants and bees, with seven test images planted in train, each changed in its own way."""
    source, root = shared_data / "hymenoptera" / "hymenoptera_data", tmp_path / "photos"
    shutil.copytree(source / "train", root / "train", copy_function=shutil.copyfile)
    shutil.copytree(source / "val", root / "test", copy_function=shutil.copyfile)
    photos = sorted((root / "test" / "bees").iterdir())
    for photo, (name, change) in zip(photos, {**EXACT, **NEAR}.items(), strict=False):
        with Image.open(photo) as image:
            change(image.convert("RGB")).save(root / "train" / "bees" / f"planted {name}")
    return root


@pytest.mark.shared_data
def test_each_planted_copy_of_a_photograph_is_found_and_nothing_else(leaky: Path) -> None:
    found = api.check_data(f"folder:path={leaky}").duplicates
    assert found.near is not None
    exact = {example.id for group in found.exact for example in group if "planted" in example.id}
    near = {each.id for pair in found.near for each in (pair.one, pair.other)}
    assert exact == {f"train/bees/planted {name}" for name in EXACT}
    assert {name for name in near if "planted" in name} == {
        f"train/bees/planted {name}" for name in NEAR
    }
    assert (len(found.exact), len(found.near), found.conflicts) == (2, 5, ())
    leaked = sum(count.exact + count.near for count in found.leaked.values())
    assert leaked == 7


@pytest.mark.shared_data
def test_a_run_counts_the_planted_copies_and_scores_without_them(
    leaky: Path, shared_data: Path, tmp_path: Path
) -> None:
    record = ftcore.run(
        backbone="squeezenet1_0",
        weights=str(shared_data / "weights/imagenet/squeezenet1_0_deepcomp-bd6a2a64.pth"),
        dataset=f"folder:path={leaky}",
        image_size=64,
        epochs=2,
        out=tmp_path / "runs",
    )
    leaks = record.leaks
    assert leaks is not None
    # Those stored in another format have other bytes, and are found by their pixels.
    assert (leaks.exact, leaks.near, leaks.kept) == (0, 7, 146)
    assert leaks.metrics["accuracy"].n == 146
    assert leaks.conflicts == 0
