"""The image size that is chosen, and the sizes that are refused."""

from __future__ import annotations

import pytest

from ftcore import UsageError
from ftcore.default_plugins.torchvision_backbones.sizing import Sizes, check_size, choose_size

ANY = Sizes()
ALEXNET = Sizes(smallest=63, useful=64)
PATCHES = Sizes(smallest=16, useful=64, multiple=16, is_strict=True)
WINDOWS = Sizes(smallest=4, multiple=28)


@pytest.mark.parametrize(
    ("sizes", "input_shape", "size"),
    [
        (ANY, (), 224),
        (ANY, (28,), 224),
        (ANY, (8, 8), 96),
        (ANY, (28, 28), 96),
        (ANY, (96, 96), 96),
        (ANY, (97, 128), 97),
        (ANY, (480, 100), 100),
        (ANY, (224, 224), 224),
        (ANY, (500, 375), 224),
        (ALEXNET, (28, 28), 64),
        (ALEXNET, (96, 96), 96),
        (PATCHES, (28, 28), 64),
        (PATCHES, (65, 65), 80),
        (PATCHES, (223, 300), 224),
        (WINDOWS, (28, 28), 112),
        (WINDOWS, (113, 120), 140),
        (WINDOWS, (220, 220), 224),
    ],
)
def test_smallest_useful_size_is_chosen(
    sizes: Sizes, input_shape: tuple[int, ...], size: int
) -> None:
    assert choose_size(sizes, 224, input_shape) == size


@pytest.mark.parametrize(
    ("sizes", "size"), [(ANY, 1), (ANY, 33), (ALEXNET, 63), (PATCHES, 16), (WINDOWS, 30)]
)
def test_size_that_works_is_taken(sizes: Sizes, size: int) -> None:
    check_size("model", sizes, size)


@pytest.mark.parametrize(
    ("sizes", "size", "words"),
    [
        (ANY, 0, "too small for model: it needs at least 1"),
        (ANY, -1, "too small for model: it needs at least 1"),
        (ALEXNET, 62, "too small for model: it needs at least 63"),
        (PATCHES, 8, "too small for model: it needs at least 16"),
        (PATCHES, 100, "patches of 16 pixels: give 96 or 112 (the smallest is 16)"),
    ],
)
def test_size_that_cannot_be_is_refused(sizes: Sizes, size: int, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_size("model", sizes, size)
    assert f"image size {size} " in str(caught.value)
    assert words in str(caught.value)
