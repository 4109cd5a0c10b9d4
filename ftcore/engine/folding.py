"""Folding: a BatchNorm in eval mode becomes part of the convolution or linear layer below it.

In eval mode both are affine, so a layer whose output goes to a BatchNorm alone can do the work of
the two. What goes where is seen by tracing each stage with torch.fx; the stages run their own code
afterwards, in which the BatchNorms have become identities. A stage that cannot be traced, because
its control flow depends on its data, is left as it is.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeAlias

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from ftcore.interfaces import Inputs

Pair: TypeAlias = tuple[str, str]  # names of a layer and of the BatchNorm that its output goes to

# Exact types: a subclass, such as a parametrized layer, may compute something else.
_NORM_OF: dict[type[nn.Module], type[nn.Module]] = {
    nn.Conv1d: nn.BatchNorm1d,
    nn.Conv2d: nn.BatchNorm2d,
    nn.Conv3d: nn.BatchNorm3d,
    nn.Linear: nn.BatchNorm1d,
}


def fold_(prefix: nn.Sequential, probe: Inputs) -> tuple[str, ...]:
    """Fold every BatchNorm that can be, in place; return the names of the layers that took one.

    The prefix is in eval mode. `probe` is a batch for it.
    """
    pairs = _matrices(prefix, list(_pairs(prefix)), probe)
    for layer, norm in pairs:
        fused = _fuse(prefix.get_submodule(layer), prefix.get_submodule(norm))
        prefix.set_submodule(layer, fused)
        prefix.set_submodule(norm, nn.Identity())
    return tuple(layer for layer, _ in pairs)


def _pairs(prefix: nn.Sequential) -> Iterator[Pair]:
    uses = Counter(module for _, module in prefix.named_modules(remove_duplicate=False))
    for layer, norm in _candidates("", prefix):
        modules = prefix.get_submodule(layer), prefix.get_submodule(norm)
        if all(uses[module] == 1 and _is_plain(module) for module in modules):
            yield layer, norm


def _candidates(name: str, module: nn.Module) -> Iterator[Pair]:
    """Yield the pairs of a module; those of a Sequential's parts where it cannot be traced whole.

    Only the parts of a Sequential are known to be called with one argument, as they are traced.
    """
    graph = _trace(module) if name else None  # one stage at a time
    prefix = f"{name}." if name else ""
    if graph is not None:
        yield from ((prefix + layer, prefix + norm) for layer, norm in _adjacent(module, graph))
    elif isinstance(module, nn.Sequential):
        for key, child in module.named_children():
            yield from _candidates(prefix + key, child)


def _trace(module: nn.Module) -> fx.Graph | None:
    # Inside a Sequential, so that arguments with a default keep it; a copy, since a forward that
    # stores something in its module would store a proxy there.
    try:
        return fx.Tracer().trace(nn.Sequential(copy.deepcopy(module)))
    except Exception:  # whatever a stranger's forward raises when it is handed a proxy
        return None


def _adjacent(module: nn.Module, graph: fx.Graph) -> Iterator[Pair]:
    """Yield the pairs of which each is called once, and the layer's output goes to the norm alone.

    A layer whose parameters are also read directly is left out.
    """
    calls = Counter(node.target for node in graph.nodes if node.op == "call_module")
    reads = {str(node.target).rpartition(".")[0] for node in graph.nodes if node.op == "get_attr"}
    for node in graph.nodes:
        if node.op != "call_module" or len(node.args) != 1 or node.kwargs:
            continue
        below = node.args[0]
        if not isinstance(below, fx.Node) or below.op != "call_module" or len(below.users) != 1:
            continue
        names = str(below.target), str(node.target)
        if all(calls[name] == 1 and name not in reads for name in names):
            layer, norm = (name.removeprefix("0").removeprefix(".") for name in names)
            if layer and norm and _fits(module.get_submodule(layer), module.get_submodule(norm)):
                yield layer, norm


def _fits(layer: nn.Module, norm: nn.Module) -> bool:
    """Whether `norm` is a BatchNorm with constant statistics over the outputs of `layer`."""
    if not isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
        return False
    if type(norm) is not _NORM_OF.get(type(layer)) or norm.training or norm.running_var is None:
        return False
    outputs = layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels
    # torch's own fusion of a linear layer wants a BatchNorm that scales.
    is_fusible = norm.affine or not isinstance(layer, nn.Linear)
    return is_fusible and bool(outputs == norm.num_features)


def _is_plain(module: nn.Module) -> bool:
    """Whether calling the module is what its class does: no hooks, no forward of its own."""
    hooks: Any = (module._forward_hooks, module._forward_pre_hooks)
    return not any(hooks) and "forward" not in vars(module)


def _matrices(prefix: nn.Sequential, pairs: list[Pair], probe: Inputs) -> list[Pair]:
    """Leave out the linear layers whose outputs are not (N, features).

    Of outputs (N, L, features) a BatchNorm1d takes L, not the features, for its channels.
    """
    linear = {norm for layer, norm in pairs if isinstance(prefix.get_submodule(layer), nn.Linear)}
    if not linear:
        return pairs
    ranks: dict[str, int] = {}

    def watch(name: str) -> Any:
        def note(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            ranks[name] = inputs[0].ndim

        return note

    handles = [prefix.get_submodule(n).register_forward_pre_hook(watch(n)) for n in sorted(linear)]
    with torch.no_grad():
        prefix(probe)
    for handle in handles:
        handle.remove()
    return [(layer, norm) for layer, norm in pairs if norm not in linear or ranks.get(norm) == 2]


def _fuse(layer: nn.Module, norm: nn.Module) -> nn.Module:
    """Return one layer for both, its parameters computed in float64 and rounded once."""
    assert isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d)
    weight = layer.weight
    assert isinstance(weight, torch.Tensor)
    wide, wide_norm = copy.deepcopy(layer).double(), copy.deepcopy(norm).double()
    if isinstance(wide, nn.Linear):
        return fuse_linear_bn_eval(wide, wide_norm).to(weight.dtype)
    assert isinstance(wide, nn.Conv1d | nn.Conv2d | nn.Conv3d)
    return fuse_conv_bn_eval(wide, wide_norm).to(weight.dtype)
