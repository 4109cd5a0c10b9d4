from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ftcore.images.trivial_augment import OPERATIONS, TrivialAugment

# The operations and ranges of "TA (Wide)" in Müller & Hutter 2021, table 1.
GEOMETRIC = {"shear-x", "shear-y", "translate-x", "translate-y", "rotate"}
ENHANCING = {"brightness", "saturation", "contrast", "sharpness"}
OTHERS = {"identity", "posterize", "solarize", "autocontrast", "equalize"}


def _image(mode: str = "RGB") -> Image.Image:
    shape = (80, 80, 3) if mode == "RGB" else (80, 80)
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


def _apply(name: str, strength: float, image: Image.Image | None = None) -> np.ndarray:
    return np.array(OPERATIONS[name](image or _image(), strength)).astype(int)


def test_operations_are_those_of_the_paper() -> None:
    assert set(OPERATIONS) == GEOMETRIC | ENHANCING | OTHERS
    assert len(OPERATIONS) == 14


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - {"autocontrast", "equalize"}))
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_no_strength_changes_nothing(name: str, mode: str) -> None:
    image = _image(mode)
    assert np.array_equal(_apply(name, 0.0, image), np.array(image))


@pytest.mark.parametrize("name", sorted(OPERATIONS))
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("strength", [-1.0, 0.5, 1.0])
def test_size_and_mode_stay(name: str, mode: str, strength: float) -> None:
    changed = OPERATIONS[name](_image(mode), strength)
    assert (changed.size, changed.mode) == ((80, 80), mode)


def test_translation_is_32_pixels_at_full_strength() -> None:
    image = np.array(_image()).astype(int)
    assert np.array_equal(_apply("translate-x", 1.0)[:, :48], image[:, 32:])
    assert np.array_equal(_apply("translate-y", -0.5)[16:], image[:64])
    assert not _apply("translate-x", 1.0)[:, 48:].any()


def test_shear_grows_with_the_distance_from_the_corner() -> None:
    image = np.array(_image()).astype(int)
    sheared = _apply("shear-x", 1.0)
    for row in (0, 20, 50):
        shift = int(0.99 * (row + 0.5) + 0.5)
        assert np.array_equal(sheared[row, : 80 - shift], image[row, shift:])
    assert np.array_equal(_apply("shear-y", 1.0).transpose(1, 0, 2)[20, :50], image[20:70, 20])


def test_rotation_is_135_degrees_at_full_strength() -> None:
    assert np.array_equal(_apply("rotate", 2 / 3), np.rot90(np.array(_image())))


@pytest.mark.parametrize(("strength", "bits"), [(0, 8), (0.5, 5), (-0.5, 5), (1, 2)])
def test_posterize_keeps_the_high_bits(strength: float, bits: int) -> None:
    mask = 256 - 2 ** (8 - bits)
    assert np.array_equal(_apply("posterize", strength), np.array(_image()) & mask)


@pytest.mark.parametrize(("strength", "threshold"), [(0.25, 192), (-0.5, 128), (1, 0)])
def test_solarize_inverts_what_is_bright(strength: float, threshold: int) -> None:
    image = np.array(_image()).astype(int)
    expected = np.where(image < threshold, image, 255 - image)
    assert np.array_equal(_apply("solarize", strength), expected)


def test_enhancing_spans_nearly_none_to_twice() -> None:
    even = Image.new("RGB", (8, 8), (100, 100, 100))
    assert _apply("brightness", 1.0, even)[0, 0, 0] == 199
    assert _apply("brightness", -1.0, even)[0, 0, 0] == 1
    for name in ("contrast", "saturation"):
        spread = np.array(_image().convert("RGB")).astype(int)
        weaker = _apply(name, -1.0)
        axis = 2 if name == "saturation" else None
        assert weaker.std(axis).mean() < 0.05 * spread.std(axis).mean()


def test_every_operation_is_drawn() -> None:
    images = torch.from_numpy(np.array(_image()))[None].permute(0, 3, 1, 2)[..., :16, :16]
    generators = [np.random.default_rng(seed) for seed in range(400)]
    made = TrivialAugment()(images.expand(400, -1, -1, -1), generators)
    same = sum(torch.equal(each, images[0]) for each in made)
    # identity, and every other operation but two at none of 31 strengths: about 0.1 of them.
    assert 0.05 * 400 < same < 0.2 * 400
