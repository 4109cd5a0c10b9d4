"""The contract of a freezing strategy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from typing import TYPE_CHECKING

from ftcore.errors import ConfigError
from ftcore.interfaces import (
    Adapter,
    Backbone,
    FreezePlan,
    FreezingStrategy,
    Gradients,
    GradientStrategy,
    Phase,
)
from ftcore.testing.samples import tiny_backbone
from ftcore.testing.values import is_same, state_of

if TYPE_CHECKING:
    from torch import nn

_EPOCHS = (1, 2, 10)


def check_freezing(strategy: FreezingStrategy, backbone: Backbone | None = None) -> None:
    """Assert the contract of `ftcore.FreezingStrategy` for 1, 2 and 10 epochs.

    `backbone` is one that the strategy can be applied to, by default a small convolutional one.
    A ConfigError is a valid answer for some number of epochs, but not for all three.
    """
    from torch import nn

    assert isinstance(strategy, FreezingStrategy), f"{strategy!r} has no method plan()."
    backbone = tiny_backbone() if backbone is None else backbone
    head = nn.Linear(backbone.feature_dim, 3)
    modules = [*(stage.module for stage in backbone.stages), head]
    dimensions = {name: p.dim() for name, p in backbone.named_parameters().items()}
    dimensions |= {f"head.{name}": p.dim() for name, p in head.named_parameters()}
    parameters = [parameter for module in modules for parameter in module.parameters()]
    refused = []
    for epochs in _EPOCHS:
        before = state_of(modules), [p.requires_grad for p in parameters]
        modes = [part.training for module in modules for part in module.modules()]
        try:
            plan = _plan(strategy, backbone, head, epochs)
        except ConfigError as error:
            refused.append(error)
            continue
        check_plan(plan, dimensions, epochs)
        assert plan == _plan(strategy, backbone, head, epochs), (
            f"Planning the same {epochs} epochs twice gives two plans."
        )
        assert is_same(before[0], state_of(modules)), "plan() changed the model's parameters."
        assert before[1] == [p.requires_grad for p in parameters], (
            "plan() changed requires_grad; it only says what trains, the engine does it."
        )
        assert modes == [part.training for module in modules for part in module.modules()], (
            "plan() changed train or eval modes; it only says what trains, the engine does it."
        )
    assert len(refused) < len(_EPOCHS), f"No number of epochs is right for it: {refused[-1]}"


def _plan(
    strategy: FreezingStrategy, backbone: Backbone, head: nn.Module, epochs: int
) -> FreezePlan:
    """Plan as the engine does, with made-up gradients for a strategy that decides by them."""
    if not isinstance(strategy, GradientStrategy):
        return strategy.plan(backbone, head, epochs)
    names = backbone.named_parameters()
    norms = {name: 0.5**index for index, name in enumerate(names)}
    sizes = {name: float(parameter.detach().norm()) for name, parameter in names.items()}
    return strategy.plan_from(backbone, head, epochs, Gradients(norms, sizes, 1))


def check_plan(plan: FreezePlan, dimensions: Mapping[str, int], epochs: int) -> None:
    """Assert that a plan for `epochs` epochs is sound for a model.

    `dimensions` holds for each of its parameters how many dimensions it has.
    """
    assert isinstance(plan, FreezePlan), f"plan() returns {plan!r}, no ftcore.FreezePlan."
    assert plan.phases, "The plan has no phases; one that starts at epoch 0 is the least."
    starts = [phase.first_epoch for phase in plan.phases]
    assert starts[0] == 0, f"The first phase starts at epoch {starts[0]}, not at 0."
    assert starts == sorted(set(starts)), f"The phases start at {starts}; each must start later."
    assert starts[-1] < epochs, (
        f"A phase starts at epoch {starts[-1]} and is never reached: there are {epochs} epochs, "
        "the first one is 0."
    )
    for adapter in plan.adapters:
        _check_adapter(adapter, plan, dimensions)
    added = {name for adapter in plan.adapters for name in adapter.parameters}
    for phase in plan.phases:
        _check_phase(phase, dimensions.keys() | added)


def _check_adapter(adapter: Adapter, plan: FreezePlan, dimensions: Mapping[str, int]) -> None:
    weight = adapter.weight
    assert weight in dimensions, f"The plan adapts {weight!r}, a parameter that does not exist."
    assert dimensions[weight] >= 2, (
        f"The plan adapts {weight!r}, which has {dimensions[weight]} dimensions and is no matrix."
    )
    count = [other.weight for other in plan.adapters].count(weight)
    assert count == 1, f"The plan adapts {weight!r} {count} times; one adapter is enough."
    assert adapter.rank >= 1, f"The adapter of {weight!r} has rank {adapter.rank}, not 1 or more."
    assert 0 < adapter.alpha < math.inf, (
        f"The adapter of {weight!r} has alpha {adapter.alpha}; it must be above 0."
    )
    still = sorted(set(adapter.parameters) - plan.trained)
    assert not still, f"{still[0]!r} of an adapter never trains, so the adapter changes nothing."


def _check_phase(phase: Phase, names: Set[str]) -> None:
    where = f"the phase from epoch {phase.first_epoch} on"
    assert phase.rates, f"Nothing trains in {where}."
    unknown = sorted(set(phase.rates) - names)
    assert not unknown, f"{where.capitalize()} names parameters that do not exist: {unknown[:3]}."
    for name, rate in phase.rates.items():
        assert 0 < rate < math.inf, (
            f"The learning-rate scale of {name!r} is {rate} in {where}; it must be above 0. "
            "Leave out what is frozen."
        )
