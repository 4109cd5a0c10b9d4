from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from ftcore.images.likeness import ImageLikeness
from ftcore.images.pillow import from_pillow, to_pillow

LIKENESS = ImageLikeness()


def scene(seed: int, height: int = 96, width: int = 128) -> Tensor:
    """A smooth image of random blobs, as photographs are at a distance."""
    noise = torch.randn(1, 3, 7, 9, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.interpolate(noise, (height, width), mode="bicubic")[0]
    return (128 + 50 * smooth).clamp(0, 255).to(torch.uint8)


def through_jpeg(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=50)
    return Image.open(file)


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "nothing": lambda image: image,
    "half": lambda image: image.resize((64, 48)),
    "double": lambda image: image.resize((256, 192)),
    "jpeg": through_jpeg,
    "mirror": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "crop": lambda image: image.crop((6, 9, 121, 95)),
    "grey": lambda image: image.convert("L"),
    "darker": lambda image: image.point(lambda value: value * 3 // 4),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_alike_both_ways_and_others_are_not(change: str) -> None:
    images = [scene(seed) for seed in range(12)]
    copies = [from_pillow(CHANGES[change](to_pillow(image))) for image in images]
    one, other = LIKENESS.sketch(images), LIKENESS.sketch(copies)
    least = 0.9 if change == "crop" else 0.995
    assert LIKENESS.compare(one, other).min() > least
    torch.testing.assert_close(LIKENESS.compare(one, other), LIKENESS.compare(other, one))
    assert LIKENESS.compare(one, other.roll(1, 0)).max() < 0.8


def test_likeness_of_what_is_not_moved_is_the_correlation_of_thumbnails() -> None:
    left = torch.zeros(1, 1, 16, 16, dtype=torch.uint8)
    left[..., :8] = 200
    top = left.transpose(2, 3)
    one, other = LIKENESS.sketch(left), LIKENESS.sketch(top)
    assert torch.equal(one, left[0])
    assert LIKENESS.compare(one, one).item() == pytest.approx(1)
    assert np.corrcoef(one.flatten(), other.flatten())[0, 1] == pytest.approx(0)
    assert LIKENESS.compare(one, other).item() < 0.3  # crops of 85 % gain a little


def test_at_a_glance_vectors_have_length_one_and_the_second_is_mirrored() -> None:
    images = [scene(seed) for seed in range(3)]
    vectors = LIKENESS.glance(LIKENESS.sketch(images))
    mirrored = LIKENESS.glance(LIKENESS.sketch([image.flip(-1) for image in images]))
    assert vectors.shape == (2, 3, 64)
    torch.testing.assert_close(vectors.norm(dim=2), torch.ones(2, 3))
    torch.testing.assert_close(vectors[1], mirrored[0], atol=0.02, rtol=0)


@pytest.mark.parametrize(
    "image",
    [torch.full((3, 20, 20), 90, dtype=torch.uint8), scene(0, 15, 40), scene(0, 8, 8)],
    ids=["one colour", "15 pixels high", "8 pixels"],
)
def test_what_shows_too_little_is_like_nothing_not_even_itself(image: Tensor) -> None:
    sketches = LIKENESS.sketch([image, scene(1)])
    assert LIKENESS.compare(sketches, sketches)[0] == 0
    assert LIKENESS.glance(sketches)[:, 0].abs().max() == 0
    assert LIKENESS.glance(sketches)[:, 1].abs().max() > 0


def test_no_pairs_have_no_likeness() -> None:
    nothing = torch.zeros(0, 16, 16, dtype=torch.uint8)
    assert LIKENESS.compare(nothing, nothing).shape == (0,)


def test_what_is_beside_an_image_does_not_change_its_sketch() -> None:
    grey, coloured = scene(0)[:1], scene(1, 40, 50)
    alone = torch.cat([LIKENESS.sketch([grey]), LIKENESS.sketch([coloured])])
    assert torch.equal(LIKENESS.sketch([grey, coloured]), alone)
