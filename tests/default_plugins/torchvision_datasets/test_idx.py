from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torchvision import datasets

from ftcore import DataBundle, DataError
from ftcore.default_plugins.torchvision_datasets import emnist, fashion_mnist, kmnist, mnist
from ftcore.testing import check_dataset


def _idx(values: np.ndarray) -> bytes:
    return (
        struct.pack(">HBB", 0, 8, values.ndim)
        + struct.pack(f">{values.ndim}I", *values.shape)
        + values.astype(np.uint8).tobytes()
    )


def _write(folder: Path, prefix: str, count: int, gzipped: bool, first: int = 0) -> None:
    generator = np.random.default_rng(count)
    folder.mkdir(parents=True, exist_ok=True)
    for kind, values in {
        "images-idx3-ubyte": generator.integers(0, 256, (count, 28, 28)),
        "labels-idx1-ubyte": generator.integers(first, first + 10, count),
    }.items():
        content = _idx(values)
        if gzipped:
            (folder / f"{prefix}-{kind}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / f"{prefix}-{kind}").write_bytes(content)


def _images(bundle: DataBundle, part: str) -> torch.Tensor:
    check_dataset(bundle)
    split = bundle.splits[part]
    return torch.stack(list(split.inputs(range(len(split)))))[:, 0]


@pytest.mark.parametrize(
    ("load", "name"), [(mnist, "MNIST"), (fashion_mnist, "FashionMNIST"), (kmnist, "KMNIST")]
)
def test_unpacked_files(tmp_path: Path, load: Callable[[Path], DataBundle], name: str) -> None:
    for prefix, count in (("train", 20), ("t10k", 10)):
        _write(tmp_path / name / "raw", prefix, count, gzipped=False)
    bundle = load(tmp_path)
    for part in ("train", "test"):
        oracle: Any = getattr(datasets, name)(tmp_path, train=part == "train")
        assert torch.equal(_images(bundle, part), oracle.data)
        assert torch.equal(bundle.splits[part].targets, oracle.targets)
    assert bundle.input_shape == (28, 28)
    assert len(bundle.classes) == 10
    assert bundle.splits["test"].ids[9] == "test/00009"


def test_fashion_classes_are_torchvisions(tmp_path: Path) -> None:
    for prefix in ("train", "t10k"):
        _write(tmp_path, prefix, 3, gzipped=True)
    assert fashion_mnist(tmp_path).classes == tuple(datasets.FashionMNIST.classes)
    assert kmnist(tmp_path).classes == tuple(datasets.KMNIST.classes)


@pytest.mark.parametrize("below", ["MNIST/raw", ""])
def test_gzipped_files_in_a_read_only_folder(tmp_path: Path, below: str) -> None:
    folder = tmp_path / "root" / below
    for prefix, count in (("train", 20), ("t10k", 10)):
        _write(folder, prefix, count, gzipped=True)
        _write(tmp_path / "plain", prefix, count, gzipped=False)
    before = sorted(folder.iterdir())
    folder.chmod(0o555)
    bundle = mnist(tmp_path / "root")
    folder.chmod(0o755)
    assert torch.equal(_images(bundle, "train"), _images(mnist(tmp_path / "plain"), "train"))
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("split", ["byclass", "bymerge", "balanced", "letters", "digits", "mnist"])
def test_emnist(tmp_path: Path, split: Any) -> None:
    first = 1 if split == "letters" else 0
    for part in ("train", "test"):
        _write(tmp_path / "EMNIST/raw", f"emnist-{split}-{part}", 9, gzipped=False, first=first)
    bundle = emnist(split, tmp_path)
    oracle = datasets.EMNIST(tmp_path, split)
    assert torch.equal(_images(bundle, "train"), oracle.data.transpose(1, 2))
    names = [bundle.classes[target] for target in bundle.splits["train"].targets]
    assert names == [oracle.classes[target] for target in oracle.targets]
    assert bundle.classes == tuple(name for name in oracle.classes if name != "N/A")


IMAGES = "train-images-idx3-ubyte.gz"
LABELS = "train-labels-idx1-ubyte.gz"
GOOD = gzip.compress(_idx(np.zeros((20, 28, 28))))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (IMAGES, b"", "does not hold|no idx file"),
        (IMAGES, b"<html>404</html>", "cannot be read: Not a gzipped file"),
        (IMAGES, GOOD[: len(GOOD) // 2], "cannot be read: .*end-of-stream"),
        (IMAGES, gzip.compress(b"<html>404</html>"), "is no idx file of uint8 in 3 dimensions"),
        (IMAGES, gzip.compress(_idx(np.zeros(20))), "is no idx file of uint8 in 3 dimensions"),
        (IMAGES, gzip.compress(_idx(np.zeros((20, 28, 28)))[:-1]), "the 20 x 28 x 28 values"),
        (IMAGES, gzip.compress(_idx(np.zeros((20, 28, 28))) + b"x"), "the 20 x 28 x 28 values"),
        (LABELS, gzip.compress(_idx(np.zeros(19))), "holds 20 images, but 19 labels, of train"),
    ],
)
def test_damaged(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    for prefix in ("train", "t10k"):
        _write(tmp_path, prefix, 20, gzipped=True)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        mnist(tmp_path)


def test_flipped_bit_in_a_gzipped_file(tmp_path: Path) -> None:
    for prefix in ("train", "t10k"):
        _write(tmp_path, prefix, 20, gzipped=True)
    content = bytearray((tmp_path / IMAGES).read_bytes())
    content[len(content) // 2] ^= 4
    (tmp_path / IMAGES).write_bytes(content)
    with pytest.raises(DataError, match="fetch it again"):
        mnist(tmp_path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    for prefix in ("train", "t10k"):
        _write(tmp_path / "MNIST/raw", prefix, 3, gzipped=True)
    (tmp_path / "MNIST/raw" / LABELS).unlink()
    message = r"mnist is not in .*MNIST/raw: train-labels-idx1-ubyte missing; .*download=true"
    with pytest.raises(DataError, match=message):
        mnist(tmp_path)


@pytest.mark.shared_data
def test_real_mnist(shared_data: Path) -> None:
    bundle = mnist(shared_data / "mnist")
    train = bundle.splits["train"]
    assert (len(train), len(bundle.splits["test"])) == (60_000, 10_000)
    assert train.targets[:5].tolist() == [5, 0, 4, 1, 9]
    row = train.inputs([0])[0][0, 5, 12:24].tolist()
    assert row == [3, 18, 18, 18, 126, 136, 175, 26, 166, 255, 247, 127]


@pytest.mark.shared_data
def test_real_fashion_mnist(shared_data: Path) -> None:
    bundle = fashion_mnist(shared_data / "fashion-mnist")
    assert bundle.splits["train"].targets.bincount().tolist() == [6000] * 10
    assert bundle.splits["test"].targets.bincount().tolist() == [1000] * 10
    assert [bundle.classes[target] for target in bundle.splits["train"].targets[:2]] == [
        "Ankle boot",
        "T-shirt/top",
    ]
