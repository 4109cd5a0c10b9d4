"""Splits of image datasets: one array in memory, or files that are decoded when asked for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low
from typing import TypeVar, cast

import PIL
import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from ftcore.content import digest_of
from ftcore.errors import DataError
from ftcore.images.decode import decode_image, read_size

Result = TypeVar("Result")

_MOST_THREADS = 8
_SAMPLED_SIZES = 32


@dataclass(frozen=True, eq=False)
class ArraySplit:
    """Images of one size in memory.

    `images` is uint8 (N, channels, height, width), with 1 or 3 channels; `targets` (N, ...) are
    int64 class indices for classification. Raises DataError where they do not fit each other.
    """

    images: Tensor
    targets: Tensor
    ids: Sequence[str]

    def __post_init__(self) -> None:
        shape = tuple(self.images.shape)
        if self.images.dtype != torch.uint8 or len(shape) != 4 or shape[1] not in (1, 3):
            raise DataError(
                f"images must be uint8 (N, 1 or 3, height, width), not {self.images.dtype} {shape}"
            )
        _check_counts(len(self.images), self.targets, self.ids)

    def __len__(self) -> int:
        return len(self.images)

    @property
    def input_shape(self) -> tuple[int, int]:
        """The height and width of the images."""
        return (self.images.shape[2], self.images.shape[3])

    def inputs(self, indices: Sequence[int]) -> Sequence[Tensor]:
        """Return the images at `indices`, stacked as one tensor."""
        stacked = self.images[torch.as_tensor(indices, dtype=torch.int64)]
        return cast("Sequence[Tensor]", stacked)  # which it is in all but name

    def digests(self, indices: Sequence[int]) -> list[str]:
        """Return a hash of each image's shape and pixels."""
        pixels = self.images[torch.as_tensor(indices, dtype=torch.int64)].numpy()
        return [digest_of(image) for image in pixels]


@dataclass(frozen=True, eq=False)
class FileSplit:
    """Image files, decoded when they are asked for.

    `targets` (N, ...) are int64 class indices for classification. Raises DataError where the
    counts differ.
    """

    paths: Sequence[Path | str]
    targets: Tensor
    ids: Sequence[str]

    def __post_init__(self) -> None:
        _check_counts(len(self.paths), self.targets, self.ids)

    @classmethod
    def from_classes(
        cls, root: Path, classes: Sequence[str], images: Mapping[str, Sequence[Path]]
    ) -> FileSplit:
        """Make a split of the images of each class, of which `images` may lack some.

        Targets are places in `classes`; ids are paths below `root`, with "/" on every system.
        Raises DataError for images of a class that is none.
        """
        unknown = sorted(images.keys() - set(classes))
        if unknown:
            raise DataError(f"there are images of {unknown[0]!r}, which is none of the classes")
        found = [
            (path, target) for target, name in enumerate(classes) for path in images.get(name, ())
        ]
        return cls(
            paths=[path for path, _ in found],
            targets=torch.tensor([target for _, target in found], dtype=torch.int64),
            ids=[_id(path.relative_to(root)) for path, _ in found],
        )

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The median (height, width) of a few dozen images, by their headers; () for no images."""
        step = max(1, len(self) // _SAMPLED_SIZES)
        sizes = [size for path in self.paths[::step] if (size := _size(path))]
        return tuple(median_low(lengths) for lengths in zip(*sizes, strict=True))

    def inputs(self, indices: Sequence[int]) -> list[Tensor]:
        """Decode the images at `indices`; DataError names the first that cannot be decoded."""
        return _in_parallel(decode_image, [self.paths[index] for index in indices])

    def digests(self, indices: Sequence[int]) -> list[str]:
        """Return a hash of each file's bytes and of what decodes them."""
        return _in_parallel(_digest, [self.paths[index] for index in indices])


def _in_parallel(
    function: Callable[[Path | str], Result], paths: Sequence[Path | str]
) -> list[Result]:
    threads = min(len(paths), _MOST_THREADS, os.cpu_count() or 1)
    # The workers of a loader are parallel already.
    if threads < 2 or get_worker_info() is not None:
        return [function(path) for path in paths]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, paths))


def _digest(path: Path | str) -> str:
    # Another decoder may round the pixels of a JPEG otherwise.
    digest = hashlib.sha256(f"Pillow {PIL.__version__}\n".encode())
    try:
        digest.update(Path(path).read_bytes())
    except OSError as error:
        raise DataError(f"image {path} cannot be read: {error.strerror}") from None
    return digest.hexdigest()


def _check_counts(images: int, targets: Tensor, ids: Sequence[str]) -> None:
    if not images == len(targets) == len(ids):
        raise DataError(
            f"a split has {images} images, {len(targets)} targets and {len(ids)} ids; "
            "these must be equal"
        )


def _id(path: Path) -> str:
    # A name that is not UTF-8 could not be written into a record.
    name = path.as_posix().encode("utf-8", "surrogateescape")
    return name.decode("utf-8", "backslashreplace")


def _size(path: Path | str) -> tuple[int, int] | None:
    try:
        return read_size(path)
    except DataError:  # reported when the image is decoded
        return None
