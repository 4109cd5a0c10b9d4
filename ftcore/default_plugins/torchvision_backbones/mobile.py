"""Cuts the models made for small devices: MobileNet, EfficientNet and ShuffleNet."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from torch import nn

from ftcore import Stage

from .cut import Cut, chain, pool

if TYPE_CHECKING:
    from torch import Tensor


def cut_mobilenet_v2(model: Any) -> Cut:
    """Return the stem, a stage for each width, the last convolution and the pool."""
    stages = (*_by_width(model.features), pool(nn.AdaptiveAvgPool2d(1)))
    return Cut(stages, _without_in_place(model.classifier), model.classifier[1].in_features)


def cut_mobilenet_v3(model: Any) -> Cut:
    """Return the stem, a stage for each width, the last convolution, and the pooled layer fc."""
    linear, activation, dropout, last = model.classifier
    head = _without_in_place(nn.Sequential(dropout, last))
    flatten = {"avgpool": model.avgpool, "flatten": nn.Flatten()}
    fc = chain("fc", {**flatten, "linear": linear, "activation": activation})
    return Cut((*_by_width(model.features), fc), head, last.in_features)


def cut_efficientnet(model: Any) -> Cut:
    """Return the stem, the stages of the paper's table, the last convolution and the pool."""
    stem, *rows, last = model.features
    stages = (
        Stage("stem", stem),
        *(Stage(f"stage{number}", row) for number, row in enumerate(rows, start=1)),
        Stage("last_conv", last),
        pool(model.avgpool),
    )
    return Cut(stages, _without_in_place(model.classifier), model.classifier[1].in_features)


def cut_shufflenet(model: Any) -> Cut:
    """Return the stem, stage2 to stage4, conv5 and the pool of a ShuffleNetV2."""
    names = ("stage2", "stage3", "stage4", "conv5")
    stages = (
        chain("stem", {"conv1": model.conv1, "maxpool": model.maxpool}),
        *(Stage(name, model.get_submodule(name)) for name in names),
        Stage("pool", _Mean()),
    )
    return Cut(stages, model.fc, model.fc.in_features)


class _Mean(nn.Module):
    """Averages a map over its places: (N, D, H, W) to (N, D)."""

    def forward(self, inputs: Tensor) -> Tensor:
        # As torchvision writes it; nothing promises that an average pool rounds alike.
        return inputs.mean([2, 3])


def _by_width(features: nn.Sequential) -> tuple[Stage, ...]:
    stem, *blocks, last = features.named_children()
    groups = groupby(blocks, key=lambda block: block[1].out_channels)
    stages = [
        chain(f"stage{number}", dict(group)) for number, (_, group) in enumerate(groups, start=1)
    ]
    return (Stage("stem", stem[1]), *stages, Stage("last_conv", last[1]))


def _without_in_place(head: nn.Sequential) -> nn.Sequential:
    # Dropout in place would write into the features that a head is given.
    for module in head:
        if isinstance(module, nn.Dropout):
            module.inplace = False
    return head
