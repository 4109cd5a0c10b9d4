from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ftcore.images.corruptions.digital import (
    compress,
    contrast,
    elastic_transform,
    jpeg_compression,
    pixelate,
)
from ftcore.images.corruptions.pixels import Pixels
from ftcore.images.decode import decode_image
from tests.images.corruptions.pictures import landscape, levels

GENERATOR = np.random.default_rng(0)


def test_contrast_keeps_the_mean_of_each_channel() -> None:
    image = landscape(224, 224)
    faded = contrast(image, 5, GENERATOR)
    assert faded.mean(axis=(1, 2)) == pytest.approx(image.mean(axis=(1, 2)), abs=1e-4)
    assert faded.std(axis=(1, 2)) == pytest.approx(0.05 * image.std(axis=(1, 2)), rel=1e-3)


def test_pixels_are_means_of_blocks() -> None:
    image: Pixels = levels(landscape(224, 224)).astype(np.float32) / np.float32(255)
    blocks = pixelate(image, 5, GENERATOR).reshape(3, 56, 4, 56, 4)
    assert np.ptp(blocks, axis=(2, 4)).max() == 0
    means = image.reshape(3, 56, 4, 56, 4).mean(axis=(2, 4))
    assert np.abs(blocks[:, :, 0, :, 0] - means).max() < 1.01 / 255


def test_an_elastic_image_has_the_same_values_elsewhere() -> None:
    side = 64
    ramp = np.broadcast_to(np.linspace(0, 1, side, dtype=np.float32), (1, side, side))
    moved = elastic_transform(ramp.copy(), 5, np.random.default_rng(3))
    shift = (moved - ramp)[0, 8:-8, 8:-8] * (side - 1)  # pixels
    assert 0.2 < shift.std() < 4
    assert np.abs(np.diff(shift, axis=0)).mean() < shift.std()  # smooth


def test_jpeg_is_what_pillow_writes() -> None:
    image = landscape(32, 48)
    file = io.BytesIO()
    Image.fromarray(levels(image).transpose(1, 2, 0)).save(file, "JPEG", quality=58)
    expected = np.asarray(Image.open(file)).transpose(2, 0, 1)
    found = jpeg_compression(image, 3, GENERATOR)
    assert np.array_equal(levels(found), expected)


@pytest.mark.shared_data
def test_quality_75_is_near_the_published_twins(shared_data: Path) -> None:
    # They were written by another encoder, whose rounding differs.
    folder = shared_data / "cifar10-subset"
    plain = sorted((folder / "test1000-png").rglob("*.png"))[::50]
    ours, lost = [], []
    for path in plain:
        (twin,) = (folder / "test1000-jpeg75").rglob(f"{path.stem}.jp*g")
        image, compressed = (decode_image(each).numpy().astype(np.float32) for each in (path, twin))
        ours.append(np.abs(compress(image / np.float32(255), 75) * 255 - compressed).mean())
        lost.append(np.abs(image - compressed).mean())
    assert len(plain) == 20
    assert np.mean(ours) < np.mean(lost) / 5
