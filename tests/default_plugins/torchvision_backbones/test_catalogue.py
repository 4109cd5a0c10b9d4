"""What is on offer, and what is said of it, against torchvision's own list."""

from __future__ import annotations

import subprocess
import sys

import pytest
from torch import nn
from torchvision import models

from ftcore.default_plugins.torchvision_backbones.catalogue import CATALOGUE, Architecture

from .models import ARCHITECTURES, registry, skip_initialisation

OTHER_FAMILIES = ("googlenet", "inception", "maxvit", "mnasnet")

REGISTERED_QUIETLY = """
import sys
from ftcore.default_plugins import torchvision_backbones
from ftcore.registry import Registry
registry = Registry("backbone")
torchvision_backbones.register_backbones(registry.registrar("torchvision"))
assert all(entry.summary for entry in registry)
print(*sorted({"torch", "torchvision", "numpy"} & sys.modules.keys()))
"""


def test_every_model_of_these_families_is_on_offer() -> None:
    published = {
        name for name in models.list_models(module=models) if not name.startswith(OTHER_FAMILIES)
    }
    assert {entry.name for entry in registry()} == published


def test_registering_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", REGISTERED_QUIETLY], capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"


def test_entry_shows_summary_and_options() -> None:
    entry = registry().entry("resnet18")
    assert entry.summary == "ResNet-18 (He 2016), 11.2 M parameters, ImageNet-1k weights"
    assert list(map(str, entry.options)) == ["weights=auto", "image_size=None", "input_shape=()"]


@pytest.mark.parametrize("architecture", CATALOGUE, ids=lambda each: each.name)
def test_parameters_are_counted_without_the_head(
    architecture: Architecture, monkeypatch: pytest.MonkeyPatch
) -> None:
    skip_initialisation(monkeypatch)
    model = models.get_model(architecture.name, weights=None)
    kind = nn.Conv2d if architecture.family == "squeezenet" else nn.Linear
    *_, head = (module for module in model.modules() if isinstance(module, kind))
    counts = [sum(each.numel() for each in module.parameters()) for module in (model, head)]
    assert round((counts[0] - counts[1]) / 1e6, 1) == architecture.millions


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_training_data_are_those_of_the_default_weights(name: str) -> None:
    is_swag = "SWAG" in models.get_model_weights(name).DEFAULT.name
    assert ("Instagram" in ARCHITECTURES[name].summary) == is_swag
