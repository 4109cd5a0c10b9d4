"""The preprocessing of image backbones: resize, crop, normalise, and augment where asked to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn.functional import interpolate

from ftcore.errors import ConfigError, DataError
from ftcore.images.augment import Augmentation, format_augmentation, parse_augmentations
from ftcore.images.colour import to_grey
from ftcore.images.corruptions import CORRUPTIONS, Corruption
from ftcore.images.decode import decode_image
from ftcore.images.files import list_images
from ftcore.images.geometry import RandomResizedCrop

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_LONGEST_ASPECT = 64


@dataclass(frozen=True)
class ImagePreprocess:
    """Makes one float32 batch (N, channels, size, size) of uint8 images (1 or 3, height, width).

    The shorter side is resized to `resize`, the middle is cropped to `size`, pixels are scaled to
    0 … 1, and normalised by `mean` and `std`, which have one number a channel; where `resize` is
    None the whole image is resized to `size`, whatever its aspect. Grey images feed every channel.

    Up to rounding this is Pillow's resize, width first, of 8-bit images: bilinear within one grey
    level of 255, bicubic within two. ConfigError for sizes and channels that cannot be.
    """

    size: int
    resize: int | None = None
    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD
    interpolation: Literal["bilinear", "bicubic"] = "bilinear"
    augmentations: tuple[Augmentation, ...] = ()
    corruption: Corruption | None = None

    def __post_init__(self) -> None:
        if self.size < 1 or (self.resize is not None and self.resize < self.size):
            raise ConfigError(
                f"an image size of {self.size} cannot be cropped from a side of {self.resize}; "
                "the crop must be at least 1 and at most the side"
            )
        if len(self.mean) not in (1, 3) or len(self.std) != len(self.mean) or 0 in self.std:
            raise ConfigError(
                f"mean {self.mean} and std {self.std} must have 1 or 3 numbers, and no std be 0"
            )

    @property
    def is_random(self) -> bool:
        """Whether there are augmentations or a corruption."""
        return bool(self.augmentations) or self.corruption is not None

    @property
    def corruptions(self) -> Sequence[str]:
        """The 15 common corruptions of Hendrycks & Dietterich 2019."""
        return CORRUPTIONS

    def __call__(self, raw: Sequence[Tensor] | Tensor, seeds: Sequence[int] = ()) -> Tensor:
        """Make one batch; each image is augmented and corrupted as its own seed says."""
        generators = self._generators(raw, seeds)
        images = self._framed(raw, generators)
        if self.is_random:  # a grey image must fare the same beside coloured ones and alone
            images = images.expand(-1, len(self.mean), -1, -1)
        for augmentation in self.augmentations:
            if not isinstance(augmentation, RandomResizedCrop):
                images = augmentation(images, generators)
        if self.corruption is not None:
            images = self.corruption(images, seeds)
        return self._normalised(images)

    def augmented(self, spec: str) -> ImagePreprocess:
        """Return a copy with the augmentations that `spec` names, as in "crop+flip"."""
        return replace(self, augmentations=parse_augmentations(spec))

    def corrupted(self, name: str, severity: int) -> ImagePreprocess:
        """Return a copy that corrupts images as the backbone gets them: resized and cropped.

        UsageError for a name or a severity that does not exist.
        """
        return replace(self, corruption=Corruption(name, severity))

    def read(self, path: Path) -> Iterator[tuple[str, Tensor]]:
        """Yield (path, image) of a file, or of each image at any depth of a folder, by name."""
        paths = [path]
        if path.is_dir():
            paths, others = list_images(path)
            if not paths:
                raise DataError(f"folder {path} holds no images ({len(others)} other files)")
        for each in paths:
            yield each.as_posix(), decode_image(each)

    def describe(self) -> Mapping[str, Any]:
        """Return every field that is set, as JSON values."""
        described = {
            "kind": "image",
            "size": self.size,
            "resize": self.resize,
            "mean": list(self.mean),
            "std": list(self.std),
            "interpolation": self.interpolation,
            "augmentations": [format_augmentation(each) for each in self.augmentations],
        }
        if self.corruption is not None:
            described["corruption"] = asdict(self.corruption)
        return described

    def _generators(self, raw: Sequence[Tensor] | Tensor, seeds: Sequence[int]) -> list[Generator]:
        if not self.is_random:
            return []
        if len(seeds) != len(raw):
            raise ValueError(f"{len(raw)} images need a seed each, but {len(seeds)} were given")
        return [np.random.default_rng(seed) for seed in seeds]

    def _framed(self, raw: Sequence[Tensor] | Tensor, generators: Sequence[Generator]) -> Tensor:
        # uint8 (N, 1 or 3, size, size); images of one shape are resized together.
        crop = next((a for a in self.augmentations if isinstance(a, RandomResizedCrop)), None)
        if crop is not None:
            raw = [crop.cut(*each) for each in zip(raw, generators, strict=True)]
        resize = None if crop is not None else self.resize
        if isinstance(raw, Tensor):
            return self._frame(raw, resize)
        groups: dict[torch.Size, list[int]] = {}
        for index, image in enumerate(raw):
            groups.setdefault(image.shape, []).append(index)
        channels = min(len(self.mean), max(shape[0] for shape in groups))
        framed = torch.empty((len(raw), channels, self.size, self.size), dtype=torch.uint8)
        for members in groups.values():
            framed[members] = self._frame(torch.stack([raw[index] for index in members]), resize)
        return framed

    def _frame(self, images: Tensor, resize: int | None) -> Tensor:
        if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
            raise DataError(
                "images must be uint8 with 1 or 3 channels, "
                f"but the dataset gives {images.dtype} of shape {tuple(images.shape[1:])}"
            )
        if len(self.mean) == 1:
            images = to_grey(images)
        if resize is None:
            return self._scale(images, self.size, self.size)
        images = _without_far_ends(images)
        height, width = images.shape[-2:]
        short = min(height, width)
        images = self._scale(images, resize * height // short, resize * width // short)
        return _middle(images, self.size, self.size)

    def _scale(self, images: Tensor, height: int, width: int) -> Tensor:
        if images.shape[-2:] == (height, width):
            return images
        # Interleaved channels are resized twice to four times as fast as planes.
        interleaved = images.contiguous(memory_format=torch.channels_last)
        return interpolate(interleaved, (height, width), mode=self.interpolation, antialias=True)

    def _normalised(self, images: Tensor) -> Tensor:
        mean, std = (torch.tensor(each).view(-1, 1, 1) for each in (self.mean, self.std))
        scaled = images.to(torch.float32, memory_format=torch.contiguous_format).div_(255)
        return scaled.sub(mean).div_(std)  # (N, channels of mean, size, size)


def _middle(images: Tensor, height: int, width: int) -> Tensor:
    top = round((images.shape[-2] - height) / 2)
    left = round((images.shape[-1] - width) / 2)
    return images[..., top : top + height, left : left + width]


def _without_far_ends(images: Tensor) -> Tensor:
    # The ends of a very long image are cropped anyway; resized first they could fill the memory.
    height, width = images.shape[-2:]
    longest = _LONGEST_ASPECT * min(height, width)
    return _middle(images, min(height, longest), min(width, longest))
