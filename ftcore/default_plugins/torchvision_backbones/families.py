"""What differs between families of architectures: where to cut, and how old files are read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .cut import Cut
from .mobile import cut_efficientnet, cut_mobilenet_v2, cut_mobilenet_v3, cut_shufflenet
from .plain import cut_alexnet, cut_squeezenet, cut_vgg
from .residual import cut_convnext, cut_densenet, cut_regnet, cut_resnet, rename_densenet
from .transformer import cut_swin, cut_vit, interpolate_vit

if TYPE_CHECKING:
    from torch import Tensor

    from . import catalogue


def _as_it_is(state: dict[str, Tensor], size: int) -> dict[str, Tensor]:
    return state


@dataclass(frozen=True)
class Family:
    """How to take a model of this family apart."""

    cut: Callable[[Any], Cut]
    last_layer: str  # the module whose outputs are the classes
    adapt: Callable[[dict[str, Tensor], int], dict[str, Tensor]] = _as_it_is  # a state to a size
    has_fixed_size: bool = False  # whether the model is built for one image size


FAMILIES: dict[catalogue.Family, Family] = {
    "alexnet": Family(cut_alexnet, "classifier.6"),
    "convnext": Family(cut_convnext, "classifier.2"),
    "densenet": Family(cut_densenet, "classifier", rename_densenet),
    "efficientnet": Family(cut_efficientnet, "classifier.1"),
    "mobilenet_v2": Family(cut_mobilenet_v2, "classifier.1"),
    "mobilenet_v3": Family(cut_mobilenet_v3, "classifier.3"),
    "regnet": Family(cut_regnet, "fc"),
    "resnet": Family(cut_resnet, "fc"),
    "shufflenet": Family(cut_shufflenet, "fc"),
    "squeezenet": Family(cut_squeezenet, "classifier.1"),
    "swin": Family(cut_swin, "head"),
    "vgg": Family(cut_vgg, "classifier.6"),
    "vit": Family(cut_vit, "heads.head", interpolate_vit, has_fixed_size=True),
}
