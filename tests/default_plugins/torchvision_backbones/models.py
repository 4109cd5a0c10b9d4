"""torchvision models with made-up parameters, which no layer's start values can imitate."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torchvision import models

from ftcore import Backbone
from ftcore.default_plugins import torchvision_backbones
from ftcore.default_plugins.torchvision_backbones.catalogue import CATALOGUE, Architecture
from ftcore.registry import Registry

ARCHITECTURES: dict[str, Architecture] = {each.name: each for each in CATALOGUE}


def registry() -> Registry[Backbone]:
    backbones: Registry[Backbone] = Registry("backbone")
    torchvision_backbones.register_backbones(backbones.registrar("torchvision"))
    return backbones


def create(spec: str, **context: Any) -> Backbone:
    return registry().create(spec, context)


def original(name: str, classes: int = 7, **options: Any) -> nn.Module:
    """Return torchvision's own model in eval mode, each tensor unlike every other.

    Weights are scaled so that the signal keeps its size (He 2015).
    """
    model: nn.Module = models.get_model(name, weights=None, num_classes=classes, **options)
    generator = torch.Generator().manual_seed(1)
    for key, tensor in model.state_dict().items():
        if tensor.ndim > 1 and tensor.is_floating_point():
            tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5, generator=generator)
        elif key.endswith(("bias", "running_mean")):
            tensor.normal_(0, 0.1, generator=generator)
        elif tensor.is_floating_point():
            tensor.uniform_(0.8, 1.2, generator=generator)
    return model.eval()


def skip_initialisation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave new parameters as they are allocated; the tests overwrite them all."""
    for name in ("kaiming_normal_", "kaiming_uniform_", "normal_", "trunc_normal_", "uniform_"):
        monkeypatch.setattr(nn.init, name, _unchanged)
    monkeypatch.setattr("torch.nn.modules.activation.xavier_uniform_", _unchanged)


def _unchanged(tensor: Tensor, *args: Any, **options: Any) -> Tensor:
    return tensor
