"""The contract of a freezing strategy."""

from __future__ import annotations

import math

from ftcore.errors import ConfigError
from ftcore.interfaces import Backbone, FreezePlan, FreezingStrategy, Phase
from ftcore.testing.samples import tiny_backbone
from ftcore.testing.values import is_same, state_of

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
    names = set(backbone.named_parameters()) | {f"head.{n}" for n, _ in head.named_parameters()}
    parameters = [parameter for module in modules for parameter in module.parameters()]
    refused = []
    for epochs in _EPOCHS:
        before = state_of(modules), [p.requires_grad for p in parameters]
        modes = [part.training for module in modules for part in module.modules()]
        try:
            plan = strategy.plan(backbone, head, epochs)
        except ConfigError as error:
            refused.append(error)
            continue
        check_plan(plan, names, epochs)
        assert plan == strategy.plan(backbone, head, epochs), (
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


def check_plan(plan: FreezePlan, names: set[str], epochs: int) -> None:
    """Assert that a plan for `epochs` epochs is sound for a model with parameters `names`."""
    assert isinstance(plan, FreezePlan), f"plan() returns {plan!r}, no ftcore.FreezePlan."
    assert plan.phases, "The plan has no phases; one that starts at epoch 0 is the least."
    starts = [phase.first_epoch for phase in plan.phases]
    assert starts[0] == 0, f"The first phase starts at epoch {starts[0]}, not at 0."
    assert starts == sorted(set(starts)), f"The phases start at {starts}; each must start later."
    assert starts[-1] < epochs, (
        f"A phase starts at epoch {starts[-1]} and is never reached: there are {epochs} epochs, "
        "the first one is 0."
    )
    for phase in plan.phases:
        _check_phase(phase, names)


def _check_phase(phase: Phase, names: set[str]) -> None:
    where = f"the phase from epoch {phase.first_epoch} on"
    assert phase.rates, f"Nothing trains in {where}."
    unknown = sorted(set(phase.rates) - names)
    assert not unknown, f"{where.capitalize()} names parameters that do not exist: {unknown[:3]}."
    for name, rate in phase.rates.items():
        assert 0 < rate < math.inf, (
            f"The learning-rate scale of {name!r} is {rate} in {where}; it must be above 0. "
            "Leave out what is frozen."
        )
