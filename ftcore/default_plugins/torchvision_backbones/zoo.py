"""The door to torchvision.models: importing it may fail, and then says why in a sentence."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from ftcore import PluginError


def published_weights(name: str) -> Any:
    """Return torchvision's enumeration of the weights it publishes for `name`."""
    return _models().get_model_weights(name)


def make_model(name: str, classes: int, size: int | None) -> Any:
    """Return the model `name` with random parameters from torch's global generator.

    `size` is the image size, for a model that is built for one.
    """
    if size is None:
        return _models().get_model(name, weights=None, num_classes=classes)
    return _models().get_model(name, weights=None, num_classes=classes, image_size=size)


def _models() -> ModuleType:
    try:
        from torchvision import models
    except (ImportError, OSError, RuntimeError) as error:
        # A torchvision that was built for another torch fails in its compiled operators.
        raise PluginError(
            f"torchvision cannot be imported ({error}); install the version that belongs to this "
            "torch, from the same package index"
        ) from error
    return models  # type: ignore[no-any-return]
