from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision import datasets

from ftcore import DataError
from ftcore.default_plugins.folder import load_folder
from ftcore.default_plugins.torchvision_datasets import cifar10, cifar100
from ftcore.testing import check_dataset

TRAIN = [f"data_batch_{number}" for number in range(1, 6)]
CIFAR10_FILES = [*TRAIN, "test_batch", "batches.meta"]


def _batch(seed: int, key: str, count: int = 4, classes: int = 10) -> dict[str, Any]:
    generator = np.random.default_rng(seed)
    return {
        "data": generator.integers(0, 256, (count, 3072), dtype=np.uint8),
        key: generator.integers(0, classes, count).tolist(),
    }


def _write_cifar10(folder: Path) -> None:
    folder.mkdir(parents=True)
    for seed, name in enumerate(CIFAR10_FILES[:-1]):
        (folder / name).write_bytes(pickle.dumps(_batch(seed, "labels"), 2))
    names = {"label_names": [f"class{index}" for index in range(10)]}
    (folder / "batches.meta").write_bytes(pickle.dumps(names, 2))


def _publish(monkeypatch: pytest.MonkeyPatch, kind: Any, folder: Path) -> None:
    """Let torchvision take the files in `folder` for the published ones."""

    def md5(name: str) -> str:
        return hashlib.md5((folder / name).read_bytes()).hexdigest()

    for each in ("train_list", "test_list"):
        names = [name for name, _ in getattr(kind, each)]
        monkeypatch.setattr(kind, each, [[name, md5(name)] for name in names])
    monkeypatch.setattr(kind, "meta", {**kind.meta, "md5": md5(kind.meta["filename"])})


@pytest.mark.parametrize("below", ["cifar-10-batches-py", ""])
def test_published_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str) -> None:
    root = tmp_path / "root"
    _write_cifar10(root / below)
    _publish(monkeypatch, datasets.CIFAR10, root / below)
    bundle = cifar10(root)
    check_dataset(bundle)
    assert bundle.notes == ()
    assert bundle.input_shape == (32, 32)
    monkeypatch.setattr(datasets.CIFAR10, "base_folder", below)
    for part in ("train", "test"):
        oracle = datasets.CIFAR10(root, train=part == "train")
        split = bundle.splits[part]
        images = torch.stack(list(split.inputs(range(len(split)))))
        assert np.array_equal(images.permute(0, 2, 3, 1).numpy(), oracle.data)
        assert split.targets.tolist() == oracle.targets
        assert bundle.classes == tuple(oracle.classes)
    assert bundle.splits["train"].ids[:2] == ["train/00000", "train/00001"]
    assert len(set(bundle.splits["train"].ids)) == len(bundle.splits["train"]) == 20


def test_cifar100(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    for seed, name in enumerate(("train", "test")):
        batch = _batch(seed, "fine_labels", classes=100)
        (folder / name).write_bytes(pickle.dumps(batch, 2))
    names = {"fine_label_names": [f"class{index}" for index in range(100)]}
    (folder / "meta").write_bytes(pickle.dumps(names, 2))
    _publish(monkeypatch, datasets.CIFAR100, folder)
    bundle = cifar100(tmp_path)
    oracle = datasets.CIFAR100(tmp_path, train=True)
    assert bundle.splits["train"].targets.tolist() == oracle.targets
    assert bundle.classes == tuple(oracle.classes)


def test_one_flipped_bit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_cifar10(tmp_path / "cifar-10-batches-py")
    _publish(monkeypatch, datasets.CIFAR10, tmp_path / "cifar-10-batches-py")
    path = tmp_path / "cifar-10-batches-py" / "data_batch_3"
    content = bytearray(path.read_bytes())
    content[5000] ^= 1
    path.write_bytes(content)
    message = r"data_batch_3 is not the published file .*checksum=false"
    with pytest.raises(DataError, match=message):
        cifar10(tmp_path)
    assert cifar10(tmp_path, checksum=False).notes == (
        "cifar10: not the published files: data_batch_3 changed",
    )


def test_subset_is_read_only_without_checksum(tmp_path: Path) -> None:
    _write_cifar10(tmp_path / "subset")
    for name in TRAIN[1:]:
        (tmp_path / "subset" / name).unlink()
    with pytest.raises(DataError, match=r"data_batch_2 is missing; .*checksum=false"):
        cifar10(tmp_path / "subset")
    bundle = cifar10(tmp_path / "subset", checksum=False)
    assert {part: len(split) for part, split in bundle.splits.items()} == {"train": 4, "test": 4}
    assert "data_batch_2, data_batch_3, data_batch_4, data_batch_5 missing" in bundle.notes[0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("data_batch_1", {"labels": [1]}, "has no rows of 3072 pixels under 'data'"),
        ("data_batch_1", {"data": np.zeros((1, 9), np.uint8)}, "has no rows of 3072 pixels"),
        ("test_batch", {**_batch(0, "labels"), "labels": [1]}, "no label for each of its 4"),
        ("test_batch", {**_batch(0, "labels"), "labels": [1, 2, 3, 10]}, "image 3 has label 10"),
        ("test_batch", {**_batch(0, "labels"), "labels": [1, -1, 3, 4]}, "image 1 has label -1"),
        ("test_batch", {**_batch(0, "labels"), "labels": [1, "1", 3, 4]}, "image 1 has label '1'"),
        ("batches.meta", {"names": []}, "has no list of class names under 'label_names'"),
    ],
)
def test_malformed(tmp_path: Path, name: str, content: Any, message: str) -> None:
    _write_cifar10(tmp_path / "batches")
    (tmp_path / "batches" / name).write_bytes(pickle.dumps(content, 2))
    with pytest.raises(DataError, match=message) as caught:
        cifar10(tmp_path / "batches", checksum=False)
    assert name in str(caught.value)


@pytest.mark.shared_data
def test_real_subset(shared_data: Path) -> None:
    root = shared_data / "cifar10-subset"
    bundle = cifar10(root / "cifar-10-batches-py-subset", checksum=False)
    assert {part: len(split) for part, split in bundle.splits.items()} == {
        "train": 4000,
        "test": 1000,
    }
    test = bundle.splits["test"]
    assert [bundle.classes[target] for target in test.targets[:4]] == [
        "cat", "ship", "ship", "airplane"
    ]  # fmt: skip
    # The same 1,000 images, which somebody else stored without loss as PNG files.
    twins = load_folder(root / "test1000-png")
    assert twins.classes == bundle.classes
    numbers = [int(Path(name).stem.rpartition("_")[2]) for name in twins.splits["train"].ids]
    assert sorted(numbers) == list(range(1000))
    assert torch.equal(twins.splits["train"].targets, test.targets[numbers])
    images = twins.splits["train"].inputs(range(1000))
    assert torch.equal(torch.stack(list(images)), torch.stack(list(test.inputs(numbers))))
