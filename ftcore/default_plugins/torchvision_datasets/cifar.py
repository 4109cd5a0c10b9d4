"""CIFAR-10 and CIFAR-100 in their Python format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ftcore import ArraySplit, DataBundle, DataError

from .pickles import load_pickle
from .source import Source, check_published, find, make_bundle, torchvision_class

_PIXELS = 3 * 32 * 32


@dataclass(frozen=True)
class Cifar:
    """One of the two: its files, and the keys in them."""

    source: Source
    train: tuple[str, ...]
    test: tuple[str, ...]
    meta: str
    labels: str
    names: str


CIFAR10 = Cifar(
    Source(
        "cifar10",
        ("cifar-10-batches-py", ""),
        (),
        "Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html",
        downloader="CIFAR10",
    ),
    train=tuple(f"data_batch_{number}" for number in range(1, 6)),
    test=("test_batch",),
    meta="batches.meta",
    labels="labels",
    names="label_names",
)
CIFAR100 = Cifar(
    Source(
        "cifar100",
        ("cifar-100-python", ""),
        (),
        "Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html",
        downloader="CIFAR100",
    ),
    train=("train",),
    test=("test",),
    meta="meta",
    labels="fine_labels",
    names="fine_label_names",
)


def read_cifar(kind: Cifar, root: Path, download: bool, checksum: bool) -> DataBundle:
    """Read the batches, after their checksums; without `checksum` some may be missing or differ."""
    train = kind.train if checksum and download else kind.train[:1]
    source = replace(kind.source, needed=(*train, *kind.test, kind.meta))
    folder = find(source, root, download)
    note = check_published(source, folder, _published(source.downloader), strict=checksum)
    classes = _names(folder / kind.meta, kind.names)
    splits = {
        "train": _read_batches(kind, "train", folder, kind.train, len(classes)),
        "test": _read_batches(kind, "test", folder, kind.test, len(classes)),
    }
    return make_bundle(source, splits, classes, note)


def _published(name: str) -> dict[str, str]:
    published = torchvision_class(name)
    files = [*published.train_list, *published.test_list]
    return {**dict(files), published.meta["filename"]: published.meta["md5"]}


def _names(path: Path, key: str) -> tuple[str, ...]:
    names = load_pickle(path).get(key)
    if not isinstance(names, list) or not names:
        raise DataError(f"{path} has no list of class names under {key!r}")
    return tuple(name.decode() if isinstance(name, bytes) else str(name) for name in names)


def _read_batches(
    kind: Cifar, part: str, folder: Path, names: Sequence[str], classes: int
) -> ArraySplit:
    paths = [folder / name for name in names if (folder / name).is_file()]
    batches = [_read_batch(path, kind.labels, classes) for path in paths]
    images = np.concatenate([pixels for pixels, _ in batches]).reshape(-1, 3, 32, 32)
    targets = torch.tensor([label for _, labels in batches for label in labels])
    ids = [f"{part}/{index:05d}" for index in range(len(images))]
    return ArraySplit(torch.from_numpy(images), targets, ids)


def _read_batch(path: Path, key: str, classes: int) -> tuple[Any, list[int]]:
    content = load_pickle(path)
    pixels, labels = content.get("data"), content.get(key)
    if not isinstance(pixels, np.ndarray) or pixels.shape[1:] != (_PIXELS,):
        raise DataError(f"{path} has no rows of {_PIXELS} pixels under 'data'")
    if not isinstance(labels, list) or len(labels) != len(pixels):
        raise DataError(f"{path} has no label for each of its {len(pixels)} images under {key!r}")
    for index, label in enumerate(labels):
        if not isinstance(label, int) or not 0 <= label < classes:
            raise DataError(f"{path}: image {index} has label {label!r}, of {classes} classes")
    return pixels, labels
