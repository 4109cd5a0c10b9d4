"""How images are prepared for an architecture; the same whatever weights it starts from.

A run is restored without the file its weights came from, and must see images as it did before.
"""

from __future__ import annotations

from collections.abc import Sequence

from ftcore import ImagePreprocess

from .catalogue import Architecture
from .sizing import check_size, choose_size
from .zoo import published_weights


def make_preprocess(
    architecture: Architecture, image_size: int | None, input_shape: Sequence[int]
) -> ImagePreprocess:
    """Return the preprocessing of torchvision's default weights, at the size asked for or chosen.

    Their resize and centre crop belong to the size they were trained for; to any other size the
    whole image is resized. Raises UsageError for a size that the architecture cannot take.
    """
    images = published_weights(architecture.name).DEFAULT.transforms()
    (trained,), (resize,) = images.crop_size, images.resize_size
    if image_size is None:
        size = choose_size(architecture.sizes, trained, input_shape)
    else:
        check_size(architecture.name, architecture.sizes, image_size)
        size = image_size
    return ImagePreprocess(
        size=size,
        resize=resize if size == trained else None,
        mean=tuple(images.mean),
        std=tuple(images.std),
        interpolation=images.interpolation.value,
    )
