"""The networks are those of the paper, and keep ftcore's contract."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ftcore_cifar_resnet
import pytest
import torch
from ftcore_cifar_resnet.network import Block, CifarResNet
from torch import nn

from ftcore import Backbone, DataError, UsageError
from ftcore.testing import check_backbone

# He et al. 2016, table 6: depth and millions of parameters
TABLE_6 = [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)]


@pytest.fixture(scope="module")
def factories() -> dict[str, Callable[..., Backbone]]:
    """What the plugin registers."""
    registered: dict[str, Callable[..., Backbone]] = {}
    ftcore_cifar_resnet.register_backbones(registered.__setitem__)
    return registered


def checkpoint(folder: Path, classes: int = 10) -> tuple[Path, CifarResNet]:
    """Write a file as the published ones are, with statistics that are not the initial ones."""
    model = CifarResNet(20, classes)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)  # type: ignore[union-attr]
            module.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]
    state = {f"module.{name}": value for name, value in model.state_dict().items()}
    old = {name: value for name, value in state.items() if "num_batches" not in name}
    path = folder / "resnet20.th"
    torch.save({"state_dict": old, "best_prec1": 91.78}, path)
    return path, model


def test_the_depths_of_the_paper_are_registered(
    factories: dict[str, Callable[..., Backbone]],
) -> None:
    assert list(factories) == [f"resnet{depth}" for depth, _ in TABLE_6]
    for name, factory in factories.items():
        assert (factory.__doc__ or "").startswith(f"ResNet-{name.removeprefix('resnet')} ")


@pytest.mark.parametrize(("depth", "millions"), TABLE_6)
def test_the_network_has_the_layers_and_parameters_of_the_paper(
    depth: int, millions: float
) -> None:
    model = CifarResNet(depth)
    layers = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(layers) == depth
    parameters = sum(parameter.numel() for parameter in model.parameters())
    assert abs(parameters / 1e6 - millions) <= (0.05 if depth == 110 else 0.005)


def test_the_shortcut_takes_every_second_pixel_and_adds_channels_of_zeros() -> None:
    block = Block(1, 3, stride=2)
    nn.init.zeros_(block.bn2.weight)  # leaves the shortcut alone
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    expected = torch.tensor([[[0.0, 0], [0, 0]], [[0, 2], [8, 10]], [[0, 0], [0, 0]]])
    assert torch.equal(block.eval()(image)[0], expected)


@pytest.mark.parametrize("name", [f"resnet{depth}" for depth, _ in TABLE_6])
def test_the_contract_holds(factories: dict[str, Callable[..., Backbone]], name: str) -> None:
    backbone = factories[name](weights="none")
    check_backbone(backbone)
    assert [stage.name for stage in backbone.stages] == [
        "stem",
        "layer1",
        "layer2",
        "layer3",
        "pool",
    ]
    assert (backbone.name, backbone.feature_dim) == (name, 64)
    assert (backbone.weights.is_pretrained, backbone.weights.note) == (False, "")


def test_the_stages_and_the_head_are_the_model_of_the_file(
    factories: dict[str, Callable[..., Backbone]], tmp_path: Path
) -> None:
    path, model = checkpoint(tmp_path)
    backbone = factories["resnet20"](weights=str(path))
    check_backbone(backbone, original=model)
    assert backbone.classes[:3] == ("airplane", "automobile", "bird")
    assert backbone.weights.name == "resnet20.th"
    assert backbone.weights.training_data == "unknown"


def test_a_head_of_other_classes_comes_without_names(
    factories: dict[str, Callable[..., Backbone]], tmp_path: Path
) -> None:
    path, model = checkpoint(tmp_path, classes=100)
    backbone = factories["resnet20"](weights=str(path))
    check_backbone(backbone, original=model)
    assert backbone.classes == ()


def test_images_of_32_pixels_are_normalised_and_nothing_else(
    factories: dict[str, Callable[..., Backbone]],
) -> None:
    images = torch.arange(256, dtype=torch.uint8).repeat(24).reshape(2, 3, 32, 32)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    batch = factories["resnet20"](weights="none").preprocess(list(images))
    torch.testing.assert_close(batch, (images / 255 - mean) / std)


def test_auto_says_that_the_weights_are_random(
    factories: dict[str, Callable[..., Backbone]],
) -> None:
    backbone = factories["resnet56"](weights="auto")
    assert not backbone.weights.is_pretrained
    assert "resnet56 starts from random weights" in backbone.weights.note


def test_imagenet_weights_are_refused(factories: dict[str, Callable[..., Backbone]]) -> None:
    with pytest.raises(UsageError, match="resnet20 has no ImageNet weights"):
        factories["resnet20"](weights="imagenet")


def test_weights_of_another_depth_are_refused_by_name(
    factories: dict[str, Callable[..., Backbone]], tmp_path: Path
) -> None:
    path, _ = checkpoint(tmp_path)
    with pytest.raises(DataError, match=rf"{path} does not fit CifarResNet.*layer1\.3\.conv1"):
        factories["resnet32"](weights=str(path))
