"""Adapters (LoRA): weights that read as themselves plus a trained change of low rank.

A module with an adapter becomes an instance of a subclass of its own class, in which the weight
is a property. So whoever reads the weight sees the change, be it the module's own forward or a
function that is handed the weight, as in attention. The parameter itself stays where it was, under
its name, for the freeze plan, the proof and the checkpoint.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from ftcore.errors import PluginError
from ftcore.interfaces import Adapter


class LowRank(nn.Module):
    """The change of one weight that an adapter describes; zero at first."""

    down: nn.Parameter  # (rank, columns)
    up: nn.Parameter  # (rows, rank)

    def __init__(self, weight: Tensor, adapter: Adapter) -> None:
        super().__init__()
        self.rank, self.alpha = adapter.rank, float(adapter.alpha)
        rows, columns = weight.shape[0], weight[0].numel()
        # Drawn on the CPU, so that a seed means the same on every device. With this slope Kaiming's
        # bound is 1 / sqrt(columns), that of torch's own layers.
        down = nn.init.kaiming_uniform_(torch.empty(adapter.rank, columns), a=math.sqrt(5))
        self.down = nn.Parameter(down.to(weight))
        self.up = nn.Parameter(weight.new_zeros(rows, adapter.rank))

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weight with its change."""
        # Not in half precision: the merged weight, which is written, must be the one that was used.
        with torch.autocast(weight.device.type, enabled=False):
            change = (self.up @ self.down).view(weight.shape)
            return torch.add(weight, change, alpha=self.alpha / self.rank)


def add_adapters(model: nn.Module, adapters: Iterable[Adapter]) -> None:
    """Add a freeze plan's adapters to the model; PluginError names one that does not fit."""
    modules = dict(model.named_modules())
    for adapter in adapters:
        path, _, name = adapter.weight.rpartition(".")
        module = modules.get(path)
        weight = module._parameters.get(name) if module is not None else None
        if module is None or weight is None:
            raise PluginError(f"the freeze plan adapts {adapter.weight!r}, which the model lacks")
        _check(model, module, adapter, weight)
        module.add_module(f"{name}_adapter", LowRank(weight, adapter))
        module.__class__ = _with_adapter(type(module), name)


def merged_state(model: nn.Module) -> dict[str, Tensor]:
    """Return the state of the model without adapters: each one is merged into its weight."""
    state: dict[str, Tensor] = dict(model.state_dict())
    with torch.no_grad():
        for name, module in _low_rank(model):
            weight = name.removesuffix("_adapter")
            state[weight] = module(state[weight])
            del state[f"{name}.down"], state[f"{name}.up"]
    return state


def describe_adapters(model: nn.Module) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return the adapters' own tensors, and as metadata the rank and alpha of each weight's."""
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, dict[str, float]] = {}
    for name, module in _low_rank(model):
        tensors |= {f"{name}.down": module.down, f"{name}.up": module.up}
        numbers[name.removesuffix("_adapter")] = {"rank": module.rank, "alpha": module.alpha}
    return tensors, {"adapters": json.dumps(numbers)}


def _low_rank(model: nn.Module) -> Iterator[tuple[str, LowRank]]:
    # A module that is used in two places is in the state under both names.
    for name, module in model.named_modules(remove_duplicate=False):
        if isinstance(module, LowRank):
            yield name, module


def _with_adapter(kind: type[nn.Module], name: str) -> type[nn.Module]:
    def weight(module: nn.Module) -> Tensor:
        adapted: Tensor = module._modules[f"{name}_adapter"](module._parameters[name])  # type: ignore[misc]
        return adapted

    # torch looks into _parameters only where the class has no attribute of that name.
    members = {name: property(weight), "__module__": kind.__module__}
    return type(kind.__name__, (kind,), members)


def _check(model: nn.Module, module: nn.Module, adapter: Adapter, weight: nn.Parameter) -> None:
    where = f"the freeze plan adapts {adapter.weight!r}"
    if adapter.name.rpartition(".")[2] in module._modules:
        raise PluginError(f"{where}, which has an adapter already; name each weight once")
    if weight.dim() < 2 or not weight.is_floating_point():
        shape = f"shape {tuple(weight.shape)}, {weight.dtype}"
        raise PluginError(f"{where} of {shape}; it must have two dimensions or more, and be real")
    if adapter.rank < 1 or not 0 < adapter.alpha < math.inf:
        raise PluginError(
            f"{where} with rank {adapter.rank} and alpha {adapter.alpha}; both must be above 0"
        )
    if isinstance(module, nn.RNNBase):
        raise PluginError(
            f"{where} of a {type(module).__name__}, which keeps its weights in a list of its own "
            "and would not see the change"
        )
    holders = [m for m in model.modules() if any(p is weight for p in m._parameters.values())]
    if len(holders) > 1:
        raise PluginError(
            f"{where}, which {len(holders)} modules share; an adapter would change one of them"
        )
