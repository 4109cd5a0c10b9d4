"""MNIST and its kin, in the idx format, gzipped or not."""

from __future__ import annotations

import gzip
import math
import string
import zlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ftcore import ArraySplit, DataBundle, DataError

from .source import Source, find, make_bundle

_CLOTHES = "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot"
_UINT8 = 8  # the code of the type in an idx header


@dataclass(frozen=True)
class MnistLike:
    """A dataset of two pairs of idx files."""

    source: Source
    prefixes: dict[str, str]  # of the files of each part
    classes: tuple[str, ...]
    first_label: int = 0
    is_transposed: bool = False


def _files(prefixes: dict[str, str]) -> tuple[str, ...]:
    kinds = ("images-idx3-ubyte", "labels-idx1-ubyte")
    return tuple(f"{prefix}-{kind}" for prefix in prefixes.values() for kind in kinds)


def _mnist_like(
    name: str, downloader: str, classes: tuple[str, ...], origin: str, licence: str
) -> MnistLike:
    prefixes = {"train": "train", "test": "t10k"}
    folders = (f"{downloader}/raw", "")
    source = Source(name, folders, _files(prefixes), origin, licence, downloader)
    return MnistLike(source, prefixes, classes)


MNIST = _mnist_like(
    "mnist",
    "MNIST",
    tuple(string.digits),
    "LeCun et al. 1998, http://yann.lecun.com/exdb/mnist/",
    "not stated; often given as CC BY-SA 3.0",
)
FASHION_MNIST = _mnist_like(
    "fashion-mnist",
    "FashionMNIST",
    tuple(_CLOTHES.split(",")),
    "Xiao, Rasul & Vollgraf 2017, https://github.com/zalandoresearch/fashion-mnist",
    "MIT",
)
KMNIST = _mnist_like(
    "kmnist",
    "KMNIST",
    ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    "Clanuwat et al. 2018, https://github.com/rois-codh/kmnist",
    "CC BY-SA 4.0",
)


def emnist_source(split: str) -> MnistLike:
    """Return one of EMNIST's six splits."""
    # bymerge and balanced join the letters whose two cases look alike.
    apart = "".join(sorted(set(string.ascii_lowercase) - set("cijklmopsuvwxyz")))
    merged = string.digits + string.ascii_uppercase + apart
    classes = {
        "byclass": string.digits + string.ascii_uppercase + string.ascii_lowercase,
        "bymerge": merged,
        "balanced": merged,
        "letters": string.ascii_lowercase,
        "digits": string.digits,
        "mnist": string.digits,
    }
    prefixes = {part: f"emnist-{split}-{part}" for part in ("train", "test")}
    source = Source(
        "emnist",
        ("EMNIST/raw", "EMNIST/raw/gzip", "gzip", ""),
        _files(prefixes),
        "Cohen et al. 2017, https://www.nist.gov/itl/products-and-services/emnist-dataset",
        downloader="EMNIST",
        downloads=({"split": split},),
    )
    first = 1 if split == "letters" else 0
    return MnistLike(source, prefixes, tuple(classes[split]), first, is_transposed=True)


def read_mnist_like(kind: MnistLike, root: Path, download: bool) -> DataBundle:
    """Read both parts; DataError names a file that is missing, damaged, or does not fit."""
    folder = find(kind.source, root, download)
    splits = {part: _read_part(kind, folder, part) for part in kind.prefixes}
    return make_bundle(kind.source, splits, kind.classes)


def _read_part(kind: MnistLike, folder: Path, part: str) -> ArraySplit:
    prefix = kind.prefixes[part]
    images = read_idx(folder / f"{prefix}-images-idx3-ubyte", dimensions=3)[:, None]
    labels = read_idx(folder / f"{prefix}-labels-idx1-ubyte", dimensions=1)
    targets = labels.to(torch.int64) - kind.first_label
    if len(images) != len(targets):
        raise DataError(
            f"{folder} holds {len(images)} images, but {len(targets)} labels, of {prefix}; "
            "fetch both files again"
        )
    if kind.is_transposed:
        images = images.transpose(2, 3).contiguous()
    return ArraySplit(images, targets, [f"{part}/{index:05d}" for index in range(len(images))])


def read_idx(path: Path, dimensions: int) -> Tensor:
    """Read an idx file of uint8, or the one with ".gz" after its name; DataError if damaged.

    Format: two zero bytes, the type, the number of dimensions; their sizes, big-endian; the values.
    """
    if not path.exists():
        path = path.with_name(f"{path.name}.gz")
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rb") as file:
            header = file.read(4 + 4 * dimensions)
            sizes = [int.from_bytes(header[at : at + 4]) for at in range(4, len(header), 4)]
            if header[:4] != bytes([0, 0, _UINT8, dimensions]) or len(sizes) != dimensions:
                raise DataError(f"{path} is no idx file of uint8 in {dimensions} dimensions")
            content = file.read(math.prod(sizes) + 1)
    except (OSError, EOFError, OverflowError, MemoryError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}; fetch it again") from None
    if len(content) != math.prod(sizes):
        shape = " x ".join(map(str, sizes))
        raise DataError(f"{path} does not hold the {shape} values it announces; fetch it again")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8).reshape(sizes)
