"""torchvision's classification models as backbones, under torchvision's own names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ftcore import hookimpl

from .catalogue import CATALOGUE, Architecture

if TYPE_CHECKING:
    from ftcore import Backbone


@hookimpl
def register_backbones(register: Callable[[str, Callable[..., Backbone]], None]) -> None:
    """Register every architecture of the catalogue."""
    for architecture in CATALOGUE:
        register(architecture.name, _factory(architecture))


def _factory(architecture: Architecture) -> Callable[..., Backbone]:
    def create(
        weights: str = "auto", image_size: int | None = None, input_shape: tuple[int, ...] = ()
    ) -> Backbone:
        from .factory import build

        return build(architecture, weights, image_size, input_shape)

    create.__name__ = architecture.name
    create.__doc__ = f"""{architecture.summary}

    `weights` is auto (ImageNet's where they are at hand, else random ones, with a note),
    imagenet, none, or the path of a state dict. `image_size` is in pixels; by default the
    smallest useful size for raw images of `input_shape` (height, width), or, where that is not
    known, the size the weights were trained for.
    """
    return create
