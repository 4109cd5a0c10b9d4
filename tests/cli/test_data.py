from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from ftcore.cli import main
from ftcore.images.pillow import to_pillow
from tests.images.test_likeness import scene


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes; train and test share an image stored anew, one mirrored, and one mislabelled."""
    root = tmp_path_factory.mktemp("photos")
    for part, first, count in (("train", 0, 14), ("test", 100, 6), ("val", 200, 4)):
        for index in range(count):
            folder = root / part / ("cats" if index % 2 else "dogs")
            folder.mkdir(parents=True, exist_ok=True)
            to_pillow(scene(first + index)).save(folder / f"{index:02}.png")
    cats = root / "train" / "cats"
    with Image.open(cats / "01.png") as image:
        image.save(root / "test" / "cats" / "again.bmp")
    with Image.open(cats / "03.png") as image:
        mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    mirrored.save(root / "test" / "cats" / "mirrored.jpg", quality=80)
    shutil.copy(cats / "05.png", root / "train" / "dogs" / "not a cat.png")
    return root


def check(photos: Path, *options: str) -> int:
    return main(["data", "check", "--dataset", f"folder:path={photos}", "-q", *options])


def test_copies_leaks_and_conflicts_are_shown_by_name(
    photos: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert check(photos) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[3] == (
        "balance: 'dogs' has 53.3% of train, 1.14 times as much as the smallest class; few "
        "examples: 'cats' (7), 'dogs' (8)"
    )
    at = lines.index("exact copies: 4 examples with 2 contents")
    assert lines[at + 1 : at + 4] == [
        "  train train/cats/01.png = test test/cats/again.bmp",
        "  train train/cats/05.png = train train/dogs/not a cat.png",
        "near copies: 1 pair",
    ]
    assert lines[at + 4].endswith("  train train/cats/03.png ~ test test/cats/mirrored.jpg")
    assert "leaked: 1 test examples are in train, 1 nearly" in lines
    at = lines.index("conflicts: 1 pair of copies with different labels")
    assert lines[at + 1] == (
        "  train train/cats/05.png is 'cats', train train/dogs/not a cat.png is 'dogs'"
    )


def test_json_has_all_and_strict_ends_with_three(
    photos: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert check(photos, "--json", "--strict") == 3
    printed = capfd.readouterr()
    found = json.loads(printed.out)["duplicates"]
    assert found["leaked"] == {"train": {"exact": 1, "near": 1}, "val": {"exact": 0, "near": 0}}
    assert found["near"][0]["other"] == {
        "part": "test",
        "id": "test/cats/mirrored.jpg",
        "target": "cats",
    }
    assert len(found["exact"]) == 2
    assert "2 of 8 test examples" in printed.err


def test_strict_minds_no_copies_within_train(photos: Path, tmp_path: Path) -> None:
    shutil.copytree(photos / "train", tmp_path / "train")
    shutil.copytree(photos / "val", tmp_path / "test")
    assert check(tmp_path, "--strict") == 0


def test_near_copies_can_be_left_out(photos: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert check(photos, "--no-near") == 0
    printed = capfd.readouterr().out
    assert "near copies:" not in printed
    assert "looked for: no near copies, as asked for" in printed


def test_a_backbone_points_at_copies_as_well(
    photos: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    backbone = ["--backbone", "squeezenet1_1", "--weights", "none", "--image-size", "32"]
    assert check(photos, *backbone) == 0
    assert "near copies: 1 pair" in capfd.readouterr().out


def test_weights_without_a_backbone_are_refused(
    photos: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert check(photos, "--weights", "none") == 2
    assert "--backbone" in capfd.readouterr().err
