"""Cuts the models without shortcuts: AlexNet, VGG and SqueezeNet."""

from __future__ import annotations

from typing import Any

from torch import nn

from ftcore import Stage

from .cut import Cut, chain, pool


def cut_alexnet(model: Any) -> Cut:
    """Return block1 to block3, fc6 and fc7 of an AlexNet."""
    dropout6, linear6, relu6, dropout7, linear7, relu7, head = model.classifier
    flatten = {"avgpool": model.avgpool, "flatten": nn.Flatten()}
    fc6 = chain("fc6", {**flatten, "dropout": dropout6, "linear": linear6, "relu": relu6})
    fc7 = chain("fc7", {"dropout": dropout7, "linear": linear7, "relu": relu7})
    return Cut((*_blocks(model.features), fc6, fc7), head, head.in_features)


def cut_vgg(model: Any) -> Cut:
    """Return block1 to block5, fc6 and fc7 of a VGG."""
    linear6, relu6, dropout6, linear7, relu7, dropout7, head = model.classifier
    flatten = {"avgpool": model.avgpool, "flatten": nn.Flatten()}
    fc6 = chain("fc6", {**flatten, "linear": linear6, "relu": relu6, "dropout": dropout6})
    fc7 = chain("fc7", {"linear": linear7, "relu": relu7, "dropout": dropout7})
    return Cut((*_blocks(model.features), fc6, fc7), head, head.in_features)


def cut_squeezenet(model: Any) -> Cut:
    """Return block1 to block4 and the pooled features of a SqueezeNet.

    Its own head classifies each place of block4's map, and pools after that.
    """
    blocks = _blocks(model.features)
    head = nn.Sequential(*model.classifier, nn.Flatten())
    features = model.classifier[1].in_channels
    return Cut((*blocks, pool(nn.AdaptiveAvgPool2d(1))), head, features, blocks[-1].name)


def _blocks(features: nn.Sequential) -> tuple[Stage, ...]:
    ends = [i + 1 for i, module in enumerate(features) if isinstance(module, nn.MaxPool2d)]
    if ends[-1] != len(features):
        ends.append(len(features))
    starts = [0, *ends[:-1]]
    return tuple(
        Stage(f"block{number}", features[start:end])
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1)
    )
