"""SVHN and STL-10, which come as one array of images a part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from ftcore import ArraySplit, DataBundle, DataError

from .source import Source, check_published, find, make_bundle, torchvision_class

_SVHN = Source(
    "svhn",
    ("",),
    ("train_32x32.mat", "test_32x32.mat"),
    "Netzer et al. 2011, http://ufldl.stanford.edu/housenumbers/",
    "non-commercial use only",
    "SVHN",
    ({"split": "train"}, {"split": "test"}),
)
_STL10 = Source(
    "stl10",
    ("stl10_binary", ""),
    ("train_X.bin", "train_y.bin", "test_X.bin", "test_y.bin"),
    "Coates, Lee & Ng 2011, https://cs.stanford.edu/~acoates/stl10/",
    downloader="STL10",
)
_STL10_CLASSES = ("airplane", "bird", "car", "cat", "deer", "dog", "horse", "monkey", "ship")


def read_svhn(root: Path, download: bool, checksum: bool) -> DataBundle:
    """Read both MATLAB files."""
    folder = find(_SVHN, root, download)
    parts = torchvision_class("SVHN").split_list.values()
    md5s = {name: md5 for _, name, md5 in parts if name in _SVHN.needed}
    note = check_published(_SVHN, folder, md5s, strict=checksum)
    splits = {part: _read_matlab(folder / f"{part}_32x32.mat", part) for part in ("train", "test")}
    return make_bundle(_SVHN, splits, tuple("0123456789"), note)


def read_stl10(root: Path, download: bool, checksum: bool) -> DataBundle:
    """Read the binary files of the labelled parts."""
    folder = find(_STL10, root, download)
    published = torchvision_class("STL10")
    files = dict([*published.train_list, *published.test_list])
    md5s = {name: files[name] for name in _STL10.needed}
    note = check_published(_STL10, folder, md5s, strict=checksum)
    splits = {part: _read_binary(folder, part) for part in ("train", "test")}
    return make_bundle(_STL10, splits, (*_STL10_CLASSES, "truck"), note)


def _read_matlab(path: Path, part: str) -> ArraySplit:
    from scipy.io import loadmat

    try:
        content = loadmat(path, variable_names=["X", "y"])
        images, labels = content["X"], content["y"].astype(np.int64).reshape(-1)
        images = np.ascontiguousarray(images.transpose(3, 2, 0, 1))
    except Exception as error:  # the border to SciPy's reader
        raise DataError(f"{path} cannot be read: {error}; fetch it again") from error
    return _split(path, part, images, labels % 10)  # the digit 0 has the label 10


def _read_binary(folder: Path, part: str) -> ArraySplit:
    path = folder / f"{part}_X.bin"
    pixels = np.fromfile(path, np.uint8)
    labels = np.fromfile(folder / f"{part}_y.bin", np.uint8).astype(np.int64) - 1
    if pixels.size != labels.size * 3 * 96 * 96:
        raise DataError(f"{path} does not hold {labels.size} images of 96 x 96; fetch it again")
    images = pixels.reshape(-1, 3, 96, 96).transpose(0, 1, 3, 2)  # columns come first in the file
    return _split(path, part, np.ascontiguousarray(images), labels)


def _split(path: Path, part: str, images: Any, labels: Any) -> ArraySplit:
    if len(images) != len(labels):
        raise DataError(f"{path} holds {len(images)} images, but {len(labels)} labels")
    ids = [f"{part}/{index:05d}" for index in range(len(images))]
    return ArraySplit(torch.from_numpy(images), torch.from_numpy(labels), ids)
