"""Which images are copies of each other: resized, stored anew, mirrored, or cropped a little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from ftcore.images.colour import to_grey
from ftcore.images.preprocess import ImagePreprocess

SIZE = 16  # pixels a side of a sketch; with more, storing anew and resizing small images shows
GLANCE = 8  # pixels a side at a glance, where a small crop hardly shows
SCALES = (0.95, 0.9, 0.85)  # sides of the crops that are tried, as fractions
PLACES = 5  # of a crop in each direction
FLATTEST = 1.0  # grey levels of standard deviation; what has less shows nothing but rounding

_BATCH = 64  # pairs whose crops are in memory together


@dataclass(frozen=True)
class ImageLikeness:
    """Compares images by small grey thumbnails, whatever the images' sizes and formats.

    The likeness of two images is the correlation of their thumbnails, the largest over crops of
    either, as they are and mirrored. So it does not see colour, brightness and contrast. The
    thresholds are measured (docs/results.md): crops to 90 % of the side of real photographs reach
    the lower one, different images stay below the upper one, even digits, and a larger ratio
    would take garments and digits for copies that are only much alike.
    """

    threshold: float = 0.93
    certain: float = 0.997
    ratio: float = 0.12

    def sketch(self, raw: Sequence[Tensor] | Tensor) -> Tensor:
        """Return uint8 thumbnails (N, 16, 16) of uint8 images (1 or 3, height, width).

        That of a smaller image is black: it has too few pixels to tell copies from what is alike.
        """
        small = ImagePreprocess(SIZE, mean=(0.0,) * 3, std=(1.0,) * 3)(raw)  # 0 … 1
        thumbnails = to_grey((small * 255).round().to(torch.uint8)).squeeze(1)
        thumbnails[[min(image.shape[-2:]) < SIZE for image in raw]] = 0
        return thumbnails

    def glance(self, sketches: Tensor) -> Tensor:
        """Return vectors (2, N, 64) of the thumbnails, as they are and mirrored."""
        small = adaptive_avg_pool2d(sketches.float(), GLANCE)
        vectors = torch.stack([small, small.flip(-1)]).flatten(2)
        vectors[:, _is_flat(sketches)] = 0
        return _unit(vectors)

    def compare(self, sketches: Tensor, others: Tensor) -> Tensor:
        """Return the likeness (N,) of as many pairs; that of a flat image is 0."""
        starts = range(0, len(sketches), _BATCH)
        batches = [slice(start, start + _BATCH) for start in starts]
        likeness = [self._compare(sketches[each].float(), others[each].float()) for each in batches]
        return torch.cat(likeness) if likeness else torch.zeros(0)

    def describe(self) -> Mapping[str, Any]:
        """Return what decides a thumbnail."""
        return {"kind": "image", "size": SIZE, "grey": "BT.601"}

    def _compare(self, one: Tensor, other: Tensor) -> Tensor:
        # Either may be the one that was cropped.
        likeness = torch.maximum(_best_crop(one, other), _best_crop(other, one))
        likeness[_is_flat(one) | _is_flat(other)] = 0
        return likeness.clamp(0, 1)


def _best_crop(images: Tensor, wanted: Tensor) -> Tensor:
    """Return the largest correlation (N,) of a crop of each image with what is wanted."""
    # (N, 2, pixels): mirroring what is wanted is as good as mirroring each crop.
    targets = _unit(torch.stack([wanted, wanted.flip(-1)], dim=1).flatten(2))
    best = torch.full((len(images),), -1.0)
    for matrix in _crops():
        places = len(matrix) // SIZE
        # All crops of a size at once: rows by the matrix, then columns by it.
        grid = (matrix @ images @ matrix.T).view(-1, places, SIZE, places, SIZE)
        crops = grid.transpose(2, 3).reshape(len(images), places**2, SIZE**2)
        found = _unit(crops) @ targets.transpose(1, 2)  # (N, crops, 2)
        best = torch.maximum(best, found.flatten(1).max(dim=1).values)
    return best


@cache
def _crops() -> tuple[Tensor, ...]:
    """For each scale, a matrix (places * SIZE, SIZE) whose blocks cut a line and stretch it."""
    matrices = [torch.eye(SIZE)]
    for scale in SCALES:
        starts = [place / (PLACES - 1) * (1 - scale) for place in range(PLACES)]
        matrices.append(torch.cat([_stretch(start, scale) for start in starts]))
    return tuple(matrices)


def _stretch(start: float, scale: float) -> Tensor:
    """Return the linear interpolation (SIZE, SIZE) of a line's part to its whole length."""
    centres = (start + (torch.arange(SIZE) + 0.5) / SIZE * scale) * SIZE - 0.5
    left = centres.floor().clamp(0, SIZE - 1)
    share = (centres - left).clamp(0, 1)
    rows, first = torch.arange(SIZE), left.long()
    matrix = torch.zeros(SIZE, SIZE)
    matrix[rows, first] += 1 - share
    matrix[rows, (first + 1).clamp(max=SIZE - 1)] += share
    return matrix


def _is_flat(sketches: Tensor) -> Tensor:
    return sketches.float().flatten(1).std(dim=1) < FLATTEST


def _unit(vectors: Tensor) -> Tensor:
    """Return the vectors less their mean, at length 1: products are correlations."""
    centred = vectors - vectors.mean(dim=-1, keepdim=True)
    length = centred.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    return centred.div_(length)
