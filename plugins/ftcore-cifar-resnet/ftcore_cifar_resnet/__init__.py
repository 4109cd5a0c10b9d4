"""The CIFAR ResNets of He et al. (2016) as backbones for ftcore."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ftcore import hookimpl

if TYPE_CHECKING:
    from ftcore import Backbone

_DEPTHS = (20, 32, 44, 56, 110)


@hookimpl
def register_backbones(register: Callable[[str, Callable[..., Backbone]], None]) -> None:
    """Register resnet20, resnet32, resnet44, resnet56 and resnet110."""
    for depth in _DEPTHS:
        register(f"resnet{depth}", _factory(depth))


def _factory(depth: int) -> Callable[..., Backbone]:
    def create(weights: str = "auto", image_size: int | None = None) -> Backbone:
        from .backbone import build

        return build(depth, weights, image_size or 32)

    create.__name__ = f"resnet{depth}"
    create.__doc__ = f"""ResNet-{depth} for 32-pixel images (He 2016), weights from a file

    `weights` is none, auto (random too, since nobody hosts these weights for ftcore), or the path
    of a state dict. `image_size` is in pixels, 32 by default.
    """
    return create
