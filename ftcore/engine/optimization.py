"""Optimizer, learning-rate schedule, and the rates of a freeze plan's phases."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection

from torch import nn, optim

from ftcore.config import RunConfig
from ftcore.errors import ConfigError
from ftcore.interfaces import FreezePlan, Phase, Weights
from ftcore.registry import Registry

Factor = Callable[[int, int], float]  # (step, steps in an epoch) -> multiple of the peak rate


def default_learning_rate(plan: FreezePlan, weights: Weights) -> float:
    """Return 1e-2 for a head alone, 1e-4 where pretrained weights train from the start, or 1e-3.

    A linear layer on fixed features is a convex problem and takes large steps; pretrained stages
    are spoiled by them. Adapters leave those weights alone and take ten times their rate:
    Schulman et al. 2025, "LoRA Without Regret".
    """
    if _is_head_alone(plan.trained):
        return 1e-2
    adapted = {name for adapter in plan.adapters for name in adapter.parameters}
    if _is_head_alone(plan.phases[0].rates.keys() - adapted) or not weights.is_pretrained:
        return 1e-3
    return 1e-4


def settled(choice: float | str | None) -> float:
    """Return a choice that has been made; when training begins, none is left open."""
    if not isinstance(choice, float):
        raise TypeError(f"{choice!r} is still to be chosen")
    return choice


def _is_head_alone(names: Collection[str]) -> bool:
    return all(name.startswith("head.") for name in names)


def build_optimizer(model: nn.Module, plan: FreezePlan, config: RunConfig) -> optim.Optimizer:
    """Return an optimizer over the parameters that train in some phase, grouped by their rates.

    What never trains is not in it. A parameter that is frozen in the current phase has no
    gradient, so no step, momentum or decay reaches it.
    """
    groups: dict[tuple[float, ...], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        rates = tuple(phase.rates.get(name, 0.0) for phase in plan.phases)
        if any(rates):
            groups.setdefault(rates, []).append(parameter)
    parameters = [{"params": group, "rates": rates} for rates, group in groups.items()]
    decay = settled(config.weight_decay)
    if config.optimizer == "sgd":
        return optim.SGD(parameters, lr=0.0, momentum=config.momentum, weight_decay=decay)
    return optim.AdamW(parameters, lr=0.0, weight_decay=decay)


def set_rates(optimizer: optim.Optimizer, plan: FreezePlan, phase: Phase, rate: float) -> None:
    """Give each group its learning rate in `phase`, where the head's is `rate`."""
    index = plan.phases.index(phase)
    for group in optimizer.param_groups:
        group["lr"] = rate * group["rates"][index]


def build_schedule(spec: str, epochs: int) -> Factor:
    """Return the learning rate's factor as a function of the step; UsageError for a bad spec."""
    registry: Registry[Factor] = Registry("schedule")
    register = registry.registrar("ftcore")

    def constant(warmup: float = 0.0) -> Factor:
        return _warmed_up(lambda _: 1.0, warmup, epochs)

    def cosine(warmup: float = 0.0) -> Factor:
        return _warmed_up(lambda done: 0.5 * (1 + math.cos(math.pi * done)), warmup, epochs)

    def step(every: int, gamma: float = 0.1, warmup: float = 0.0) -> Factor:
        if every < 1 or gamma <= 0:
            raise ConfigError(
                f"schedule step: every is {every}, gamma {gamma}; both must be above 0"
            )
        return _warmed_up(
            lambda done: gamma ** (int(done * epochs + 1e-9) // every), warmup, epochs
        )

    register("constant", constant)
    register("cosine", cosine)
    register("step", step)
    return registry.create(spec)


def _warmed_up(decay: Callable[[float], float], warmup: float, epochs: int) -> Factor:
    # `done` is the fraction of training that lies behind a step. The warm-up multiplies the
    # schedule rather than delaying it, so that an epoch keeps its rate whatever the warm-up is.
    if not 0 <= warmup < 1:
        raise ConfigError(f"schedule: warmup is {warmup}; it is a fraction of training, 0 to 1")

    def factor(step: int, steps_in_epoch: int) -> float:
        total = steps_in_epoch * epochs
        rising = min(1.0, (step + 1) / (warmup * total)) if warmup * total >= 1 else 1.0
        return rising * decay(step / total)

    return factor
