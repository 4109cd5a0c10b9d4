"""Images are prepared as for torchvision's default weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torchvision import models

from ftcore import UsageError
from ftcore.default_plugins.torchvision_backbones.preprocessing import make_preprocess

from .models import ARCHITECTURES, create


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_own_size_has_the_recipe_of_the_weights(name: str) -> None:
    theirs = models.get_model_weights(name).DEFAULT.transforms()
    ours = make_preprocess(ARCHITECTURES[name], None, ())
    assert [ours.size] == theirs.crop_size
    assert [ours.resize] == theirs.resize_size
    assert [*ours.mean, *ours.std] == [*theirs.mean, *theirs.std]
    assert ours.interpolation == theirs.interpolation.value


def test_own_size_equals_their_preprocessing_within_a_grey_level() -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (3, 300, 420), generator=generator, dtype=torch.uint8)
    theirs = models.ResNet18_Weights.DEFAULT.transforms()(image)
    ours = make_preprocess(ARCHITECTURES["resnet18"], None, (300, 420))([image])[0]
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= 1.001 / 255 / 0.224


@pytest.mark.parametrize(
    ("name", "image_size", "input_shape", "size", "resize"),
    [
        ("resnet18", None, (28, 28), 96, None),
        ("resnet18", None, (500, 375), 224, 256),
        ("resnet18", 224, (28, 28), 224, 256),
        ("resnet18", 64, (), 64, None),
        ("resnet18", 300, (28, 28), 300, None),
        ("vit_b_16", None, (100, 100), 112, None),
        ("vit_b_16", 32, (), 32, None),
        ("efficientnet_v2_s", None, (400, 400), 384, 384),
    ],
)
def test_other_sizes_take_the_whole_image(
    name: str, image_size: int | None, input_shape: tuple[int, ...], size: int, resize: int | None
) -> None:
    preprocess = make_preprocess(ARCHITECTURES[name], image_size, input_shape)
    assert (preprocess.size, preprocess.resize) == (size, resize)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("squeezenet1_0:image_size=20", "image size 20 is too small for squeezenet1_0"),
        ("vit_b_16:image_size=224.5", "'224.5'"),
        ("vit_b_16:image_size=225", "give 224 or 240"),
    ],
)
def test_sizes_that_cannot_be_are_refused(spec: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        create(spec, weights="none")


@pytest.mark.parametrize("context", [{}, {"input_shape": (28, 28)}, {"image_size": 48}])
def test_weights_change_nothing(context: dict[str, Any], weights_file: str) -> None:
    described = [
        create("shufflenet_v2_x0_5", weights=weights, **context).preprocess.describe()
        for weights in ("none", weights_file)
    ]
    assert described[0] == described[1]
