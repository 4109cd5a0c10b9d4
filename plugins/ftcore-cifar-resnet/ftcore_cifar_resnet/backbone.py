"""Makes a network, reads its weights, and cuts it into the stages of a backbone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

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

from .network import CifarResNet

if TYPE_CHECKING:
    from torch import Tensor

CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
# How the SHA-256 of each published checkpoint begins, as its file's name says:
# https://github.com/akamaster/pytorch_resnet_cifar10, BSD-2-Clause, trained on CIFAR-10.
_PUBLISHED = ("12fca82f", "d509ac18", "014dd654", "4bfd9763")


def build(depth: int, weights: str, image_size: int) -> Backbone:
    """Return a backbone in eval mode.

    With random weights it has no head. With those of a file it has the file's; ten outputs are
    taken for the classes of CIFAR-10. Raises UsageError for weights that do not exist, DataError
    for a file that cannot be read or does not fit.
    """
    state, origin = _find_weights(depth, weights)
    model = CifarResNet(depth, _count_classes(state)).eval()
    if state:
        load_state_dict(model, state, origin.origin)
    return Backbone(
        name=f"resnet{depth}",
        stages=_cut(model),
        feature_dim=model.feature_dim,
        preprocess=ImagePreprocess(
            size=image_size, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
        ),
        weights=origin,
        head=model.linear if state else None,
        classes=CLASSES if state and model.linear.out_features == len(CLASSES) else (),
    )


def _find_weights(depth: int, weights: str) -> tuple[dict[str, Tensor], Weights]:
    if weights == "none":
        return {}, Weights("random")
    if weights == "auto":
        note = f"resnet{depth} starts from random weights: there is no place to download others "
        note += "from; give a checkpoint with --weights FILE"
        return {}, Weights("random", note=note)
    if weights == "imagenet":
        raise UsageError(
            f"resnet{depth} has no ImageNet weights: it is a network for CIFAR; give none, or the "
            "path of a checkpoint"
        )
    path = Path(weights).expanduser()
    state, sha256 = read_state_dict(path)
    if sha256.startswith(_PUBLISHED):
        return state, Weights(path.name, str(path), sha256, "CIFAR-10", "BSD-2-Clause")
    return state, Weights(path.name, str(path), sha256, training_data="unknown")


def _count_classes(state: Mapping[str, Tensor]) -> int:
    # A state without a head is refused when it is loaded, by the name of what is missing.
    return len(state["linear.bias"]) if "linear.bias" in state else len(CLASSES)


def _cut(model: CifarResNet) -> tuple[Stage, ...]:
    stem = OrderedDict(conv1=model.conv1, bn1=model.bn1, relu=model.relu)
    pool = OrderedDict(pool=model.pool, flatten=nn.Flatten())
    return (
        Stage("stem", nn.Sequential(stem)),
        Stage("layer1", model.layer1),
        Stage("layer2", model.layer2),
        Stage("layer3", model.layer3),
        Stage("pool", nn.Sequential(pool)),
    )
