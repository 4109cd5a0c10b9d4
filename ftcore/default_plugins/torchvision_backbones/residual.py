"""Cuts the convolutional models with shortcuts: ResNet and its kin, RegNet, DenseNet, ConvNeXt."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from torch import nn

from ftcore import Stage

from .cut import Cut, chain, pool

if TYPE_CHECKING:
    from torch import Tensor


def cut_resnet(model: Any) -> Cut:
    """Return the stem, layer1 to layer4 and the pool of a ResNet, ResNeXt or Wide ResNet."""
    stem = ("conv1", "bn1", "relu", "maxpool")
    layers = ("layer1", "layer2", "layer3", "layer4")
    stages = (
        chain("stem", {name: model.get_submodule(name) for name in stem}),
        *(Stage(name, model.get_submodule(name)) for name in layers),
        pool(model.avgpool),
    )
    return Cut(stages, model.fc, model.fc.in_features)


def cut_regnet(model: Any) -> Cut:
    """Return the stem, block1 to block4 and the pool of a RegNet."""
    blocks = (Stage(name, block) for name, block in model.trunk_output.named_children())
    stages = (Stage("stem", model.stem), *blocks, pool(model.avgpool))
    return Cut(stages, model.fc, model.fc.in_features)


def cut_densenet(model: Any) -> Cut:
    """Return the stem, block1 to block4 and the pool of a DenseNet.

    A block ends in the transition that halves its map, the last one in norm and activation.
    """
    parts = dict(model.features.named_children())
    parts["relu5"] = nn.ReLU()
    blocks = (
        ("stem", ("conv0", "norm0", "relu0", "pool0")),
        ("block1", ("denseblock1", "transition1")),
        ("block2", ("denseblock2", "transition2")),
        ("block3", ("denseblock3", "transition3")),
        ("block4", ("denseblock4", "norm5", "relu5")),
    )
    stages = tuple(chain(name, {key: parts[key] for key in keys}) for name, keys in blocks)
    features = model.classifier.in_features
    return Cut((*stages, pool(nn.AdaptiveAvgPool2d(1))), model.classifier, features)


def rename_densenet(state: dict[str, Tensor], size: int) -> dict[str, Tensor]:
    """Return `state` under today's names; older files write "norm.1" for "norm1"."""
    old = re.compile(r"(denselayer\d+\.(?:norm|conv))\.(\d)\.")
    return {old.sub(r"\1\2.", name): tensor for name, tensor in state.items()}


def cut_convnext(model: Any) -> Cut:
    """Return the stem, stage1 to stage4 and the pool of a ConvNeXt.

    From stage2 on a stage starts with the layer that halves the map.
    """
    features = model.features
    norm, flatten, head = model.classifier
    stages = (
        Stage("stem", features[0]),
        *(Stage(f"stage{i + 1}", features[max(1, 2 * i) : 2 * i + 2]) for i in range(4)),
        chain("pool", {"avgpool": model.avgpool, "norm": norm, "flatten": flatten}),
    )
    return Cut(stages, head, head.in_features)
