from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.io import savemat
from torchvision import datasets

from ftcore import DataBundle, DataError
from ftcore.default_plugins.torchvision_datasets import stl10, svhn
from ftcore.testing import check_dataset


def _write_svhn(root: Path) -> None:
    for seed, part in enumerate(("train", "test")):
        generator = np.random.default_rng(seed)
        images = generator.integers(0, 256, (32, 32, 3, 12), dtype=np.uint8)
        labels = (np.arange(12) % 10 + 1)[:, None].astype(np.uint8)
        savemat(root / f"{part}_32x32.mat", {"X": images, "y": labels})


def _write_stl10(folder: Path) -> None:
    folder.mkdir()
    for seed, part in enumerate(("train", "test")):
        generator = np.random.default_rng(seed)
        generator.integers(0, 256, (5, 3, 96, 96), dtype=np.uint8).tofile(folder / f"{part}_X.bin")
        generator.integers(1, 11, 5, dtype=np.uint8).tofile(folder / f"{part}_y.bin")


def _images(bundle: DataBundle, part: str) -> np.ndarray:
    check_dataset(bundle)
    split = bundle.splits[part]
    return torch.stack(list(split.inputs(range(len(split))))).numpy()


def _md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_svhn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write_svhn(tmp_path)
    with pytest.raises(DataError, match=r"train_32x32\.mat is not the published file"):
        svhn(tmp_path)
    assert svhn(tmp_path, checksum=False).notes
    published: dict[str, Any] = {
        part: [url, name, _md5(tmp_path / name) if part != "extra" else md5]
        for part, (url, name, md5) in datasets.SVHN.split_list.items()
    }
    monkeypatch.setattr(datasets.SVHN, "split_list", published)
    bundle = svhn(tmp_path)
    assert bundle.notes == ()
    for part in ("train", "test"):
        oracle = datasets.SVHN(tmp_path, part)
        assert np.array_equal(_images(bundle, part), oracle.data)
        assert bundle.splits[part].targets.tolist() == oracle.labels.tolist()
    assert bundle.splits["train"].targets.dtype == torch.int64
    assert bundle.input_shape == (32, 32)


def test_damaged_svhn(tmp_path: Path) -> None:
    _write_svhn(tmp_path)
    (tmp_path / "test_32x32.mat").write_bytes(b"no matrix")
    with pytest.raises(DataError, match=r"test_32x32\.mat cannot be read: .*; fetch it again"):
        svhn(tmp_path, checksum=False)


def test_stl10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "stl10_binary"
    _write_stl10(folder)
    for part in ("train", "test"):
        listed = [
            [name, _md5(folder / name)]
            for name, _ in getattr(datasets.STL10, f"{part}_list")
            if not name.startswith("unlabeled")
        ]
        monkeypatch.setattr(datasets.STL10, f"{part}_list", listed)
    bundle = stl10(tmp_path)
    assert bundle.notes == ()
    for part in ("train", "test"):
        oracle = datasets.STL10(tmp_path, part)
        assert np.array_equal(_images(bundle, part), oracle.data)
        assert bundle.splits[part].targets.tolist() == list(oracle.labels)
    assert len(bundle.classes) == 10
    assert bundle.input_shape == (96, 96)


def test_truncated_stl10(tmp_path: Path) -> None:
    _write_stl10(tmp_path / "stl10_binary")
    path = tmp_path / "stl10_binary" / "train_X.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"train_X\.bin does not hold 5 images of 96 x 96"):
        stl10(tmp_path, checksum=False)
