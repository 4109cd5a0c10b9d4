"""The backbone `tiny_convnet`: three convolutions and an average."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from torch import nn

from ftcore import (
    Backbone,
    ImagePreprocess,
    Stage,
    UsageError,
    Weights,
    load_state_dict,
    read_state_dict,
)


def make_backbone(weights: str, image_size: int, width: int) -> Backbone:
    """Return the backbone, in stages; UsageError for weights or a width that it cannot have."""
    if width < 1:
        raise UsageError(f"tiny_convnet: width is {width}; it must be 1 or more")
    model = make_model(width)
    return Backbone(
        name="tiny_convnet",
        stages=tuple(Stage(name, module) for name, module in model.named_children()),
        feature_dim=4 * width,
        preprocess=ImagePreprocess(size=image_size),
        weights=_load(model, weights),
    )


def make_model(width: int) -> nn.Sequential:
    """Return the whole model: images (N, 3, H, W) to features (N, 4 * width)."""
    return nn.Sequential(
        OrderedDict(
            stem=_block(3, width, stride=1),
            middle=_block(width, 2 * width, stride=2),
            top=_block(2 * width, 4 * width, stride=2),
            pool=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        )
    )


def _block(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


def _load(model: nn.Module, weights: str) -> Weights:
    if weights == "none":
        return Weights("random")
    if weights == "auto":
        return Weights("random", note="tiny_convnet has no pretrained weights; these are random")
    if weights == "imagenet":
        raise UsageError("tiny_convnet has no ImageNet weights; give --weights none or a file")
    path = Path(weights)
    state, sha256 = read_state_dict(path)
    load_state_dict(model, state, path)
    return Weights(path.name, str(path), sha256, training_data="unknown")
