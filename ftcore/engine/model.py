"""A backbone and a head as one module, whose parameters carry the names of the freeze plan."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterator

from torch import nn

from ftcore.errors import PluginError
from ftcore.interfaces import Backbone


def assemble(backbone: Backbone, head: nn.Module) -> nn.Sequential:
    """Return stages and head as one Sequential; parameters are "<stage>.<name>", "head.<name>"."""
    names = [stage.name for stage in backbone.stages]
    if "head" in names or len(set(names)) < len(names) or any("." in name for name in names):
        raise PluginError(
            f"backbone {backbone.name!r} has the stages {names}: names must differ, hold no dot, "
            "and none may be 'head'"
        )
    modules = OrderedDict((stage.name, stage.module) for stage in backbone.stages)
    modules["head"] = head
    return nn.Sequential(modules)


def modules_with_mode(
    model: nn.Sequential, trainable: Collection[str]
) -> Iterator[tuple[str, nn.Module, bool]]:
    """Yield (name, module, whether it trains) for a model in which `trainable` train.

    A module trains if a parameter inside it does. One without parameters, such as dropout, goes
    with the module that holds it; a stage without parameters trains if one below it does, since
    its inputs are fixed otherwise.
    """
    below = False
    for stage, module in model.named_children():
        for name, inner, trains in _walk(stage, module, trainable, below):
            yield name, inner, trains
            below = below or trains


def _walk(
    name: str, module: nn.Module, trainable: Collection[str], inherited: bool
) -> Iterator[tuple[str, nn.Module, bool]]:
    parameters = [f"{name}.{key}" for key, _ in module.named_parameters()]
    trains = any(key in trainable for key in parameters) if parameters else inherited
    yield name, module, trains
    for key, child in module.named_children():
        yield from _walk(f"{name}.{key}", child, trainable, trains)
