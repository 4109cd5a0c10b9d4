"""Tensors to Pillow's images and back."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def from_pillow(image: Image.Image) -> Tensor:
    """Copy an image of mode L or RGB to a uint8 tensor (1 or 3, height, width)."""
    pixels = torch.from_numpy(np.array(image))
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1)


def to_pillow(image: Tensor) -> Image.Image:
    """Copy a uint8 tensor (1 or 3, height, width) to an image of mode L or RGB."""
    pixels = image[0] if len(image) == 1 else image.permute(1, 2, 0)
    return Image.fromarray(pixels.contiguous().numpy())
