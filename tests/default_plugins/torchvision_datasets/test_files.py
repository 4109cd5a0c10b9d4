from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat
from torchvision import datasets

from ftcore import DataBundle, DataError, UsageError
from ftcore.default_plugins.torchvision_datasets import (
    caltech101,
    dtd,
    eurosat,
    flowers102,
    food101,
    imagenet,
    oxford_pets,
)
from ftcore.testing import check_dataset


def _images(folder: Path, *names: str) -> None:
    """Write images that differ in their pixels."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
        pixels = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), dtype=np.uint8)
        # Large squares of one colour each, which JPEG keeps apart.
        Image.fromarray(np.kron(pixels, np.ones((16, 16, 1), np.uint8))).save(path)


def _examples(bundle: DataBundle, part: str) -> list[tuple[str, bytes]]:
    check_dataset(bundle)
    split = bundle.splits[part]
    names = [bundle.classes[target] for target in split.targets.tolist()]
    images = [image.permute(1, 2, 0).numpy().tobytes() for image in split.inputs(range(len(split)))]
    return sorted(zip(names, images, strict=True))


def _expected(oracle: Any, classes: Any) -> list[tuple[str, bytes]]:
    pairs = (oracle[index] for index in range(len(oracle)))
    return sorted((classes[label], image.convert("RGB").tobytes()) for image, label in pairs)


def test_flowers102(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "flowers-102"
    _images(folder / "jpg", *(f"image_{number:05d}.jpg" for number in range(1, 10)))
    savemat(folder / "imagelabels.mat", {"labels": np.array([[77, 1, 102, 5, 5, 6, 1, 9, 77]])})
    ids = {"trnid": [[2, 4, 9]], "valid": [[1, 3]], "tstid": [[5, 6, 7, 8]]}
    savemat(folder / "setid.mat", {key: np.array(value) for key, value in ids.items()})
    files = {
        key: (
            name,
            None if key == "image" else hashlib.md5((folder / name).read_bytes()).hexdigest(),
        )
        for key, (name, _) in datasets.Flowers102._file_dict.items()
    }
    monkeypatch.setattr(datasets.Flowers102, "_file_dict", files)
    bundle = flowers102(tmp_path)
    assert len(bundle.classes) == 102
    for part in ("train", "val", "test"):
        oracle = datasets.Flowers102(tmp_path, part)
        assert _examples(bundle, part) == _expected(oracle, oracle.classes)
    assert "flowers-102/jpg/image_00002.jpg" in bundle.splits["train"].ids
    (folder / "setid.mat").write_bytes(b"no matrix")
    with pytest.raises(DataError, match=r"the lists in .*flowers-102 cannot be read"):
        flowers102(tmp_path)


def test_food101(tmp_path: Path) -> None:
    folder = tmp_path / "food-101"
    lists = {
        "train": {"waffles": ["waffles/1", "waffles/2"], "apple_pie": ["apple_pie/3"]},
        "test": {"apple_pie": ["apple_pie/4"], "waffles": ["waffles/5"]},
    }
    (folder / "meta").mkdir(parents=True)
    for part, classes in lists.items():
        (folder / f"meta/{part}.json").write_text(json.dumps(classes))
        _images(folder / "images", *(f"{name}.jpg" for names in classes.values() for name in names))
    bundle = food101(tmp_path)
    for part in ("train", "test"):
        oracle = datasets.Food101(tmp_path, part)
        assert _examples(bundle, part) == _expected(oracle, oracle.classes)
    assert bundle.input_shape == (32, 32)
    for damaged in ("{", "[1]", '{"waffles": 3}'):
        (folder / "meta/train.json").write_text(damaged)
        with pytest.raises(DataError, match=r"train\.json is damaged"):
            food101(tmp_path)


def test_oxford_pets(tmp_path: Path) -> None:
    folder = tmp_path / "oxford-iiit-pet"
    lists = {
        "trainval": ["american_bulldog_10 2 2 1", "Abyssinian_1 1 1 1", "Abyssinian_2 1 1 1"],
        "test": ["Abyssinian_3 1 1 1", "american_bulldog_4 2 2 1"],
    }
    (folder / "annotations").mkdir(parents=True)
    for part, lines in lists.items():
        (folder / f"annotations/{part}.txt").write_text("\n".join(lines) + "\n")
        _images(folder / "images", *(f"{line.split()[0]}.jpg" for line in lines))
    bundle = oxford_pets(tmp_path)
    assert bundle.classes == ("Abyssinian", "American Bulldog")
    for part, theirs in {"train": "trainval", "test": "test"}.items():
        oracle = datasets.OxfordIIITPet(tmp_path, theirs)
        assert _examples(bundle, part) == _expected(oracle, oracle.classes)
    for damaged in ("Abyssinian_1 1 1\n", "Abyssinian_1 one 1 1\n"):
        (folder / "annotations/test.txt").write_text(damaged)
        with pytest.raises(DataError, match=r"annotations/test\.txt, line 1: 'Abyssinian_1 "):
            oxford_pets(tmp_path)


def test_dtd(tmp_path: Path) -> None:
    folder = tmp_path / "dtd/dtd"
    lists = {"train": ["woven/1.jpg", "dotted/2.jpg"], "val": ["dotted/3.jpg", "woven/4.jpg"]}
    lists["test"] = ["woven/5.jpg", "dotted/6.jpg"]
    (folder / "labels").mkdir(parents=True)
    for part, lines in lists.items():
        (folder / f"labels/{part}7.txt").write_text("\n".join(lines) + "\n")
        _images(folder / "images", *lines)
    bundle = dtd(partition=7, root=tmp_path)
    for part in lists:
        oracle = datasets.DTD(tmp_path, part, partition=7)
        assert _examples(bundle, part) == _expected(oracle, oracle.classes)
    with pytest.raises(DataError, match=r"labels/train1\.txt, .* missing"):
        dtd(root=tmp_path)
    with pytest.raises(UsageError, match="partition is 11, but must be from 1 to 10"):
        dtd(partition=11, root=tmp_path)


def test_eurosat(tmp_path: Path) -> None:
    _images(tmp_path / "eurosat/2750", "River/River_1.jpg", "Forest/Forest_1.jpg")
    oracle = datasets.EuroSAT(tmp_path)
    bundle = eurosat(tmp_path)
    assert set(bundle.splits) == {"train"}
    assert _examples(bundle, "train") == _expected(oracle, oracle.classes)


def test_caltech101(tmp_path: Path) -> None:
    folder = tmp_path / "caltech101/101_ObjectCategories"
    names = ("BACKGROUND_Google/tmp.jpg", "accordion/image_0001.jpg", "yin_yang/image_0001.jpg")
    _images(folder, *names, "yin_yang/image_0002.jpg")
    oracle = datasets.Caltech101(tmp_path)
    bundle = caltech101(tmp_path)
    assert bundle.classes == ("accordion", "yin_yang")
    assert _examples(bundle, "train") == _expected(oracle, oracle.categories)


def test_imagenet_with_other_classes(tmp_path: Path) -> None:
    _images(tmp_path, "train/n02/a.JPEG", "train/n01/b.JPEG", "val/n01/c.JPEG")
    bundle = imagenet(tmp_path)
    assert bundle.classes == ("n01", "n02")
    assert {part: split.targets.tolist() for part, split in bundle.splits.items()} == {
        "train": [0, 1],
        "val": [0],
    }


def test_imagenet_classes_are_in_the_order_of_pretrained_models(tmp_path: Path) -> None:
    from torchvision.models import ResNet50_Weights

    for number in range(1000):
        path = tmp_path / f"val/n{number:08d}/1.JPEG"
        path.parent.mkdir(parents=True)
        path.touch()
    bundle = imagenet(tmp_path)
    assert set(bundle.splits) == {"val"}
    assert bundle.classes == tuple(ResNet50_Weights.IMAGENET1K_V2.meta["categories"])
    assert torch.equal(bundle.splits["val"].targets, torch.arange(1000))


def test_imagenet_missing(tmp_path: Path) -> None:
    _images(tmp_path, "val/ILSVRC2012_val_00000001.JPEG")
    with pytest.raises(DataError, match="neither train nor val there holds class folders"):
        imagenet(tmp_path)


@pytest.mark.parametrize(
    ("load", "place"),
    [
        (flowers102, "flowers-102: jpg, imagelabels.mat, setid.mat missing"),
        (food101, "food-101: images, meta/train.json, meta/test.json missing"),
        (oxford_pets, "oxford-iiit-pet: images, "),
        (eurosat, "eurosat/2750: "),
        (caltech101, "caltech101/101_ObjectCategories: "),
    ],
)
def test_missing(tmp_path: Path, load: Any, place: str) -> None:
    with pytest.raises(DataError, match=f"is not in {tmp_path}/{place}.*download=true"):
        load(tmp_path)
    assert list(tmp_path.iterdir()) == []
