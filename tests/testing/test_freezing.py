from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from torch import nn

from ftcore.errors import ConfigError
from ftcore.interfaces import Adapter, Backbone, FreezePlan, Phase
from ftcore.testing import check_freezing

Planner = Callable[[Backbone, nn.Module, int], FreezePlan]


@dataclass
class Strategy:
    planner: Planner

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        return self.planner(backbone, head, epochs)


def phases(*starts_and_rates: tuple[int, dict[str, float]]) -> Planner:
    plan = FreezePlan(tuple(Phase(start, rates) for start, rates in starts_and_rates))
    return lambda backbone, head, epochs: plan


def adapting(*adapters: Adapter, trained: dict[str, float] | None = None) -> Planner:
    names = [name for adapter in adapters for name in adapter.parameters]
    rates = dict.fromkeys(names, 1.0) if trained is None else trained
    plan = FreezePlan((Phase(0, rates | HEAD),), adapters)
    return lambda backbone, head, epochs: plan


HEAD = {"head.weight": 1.0, "head.bias": 1.0}
BODY = "body.0.weight"


def from_the_second_epoch_on(backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
    if epochs < 2:
        raise ConfigError("two epochs at least")
    everything = dict.fromkeys(backbone.named_parameters(), 0.1) | HEAD
    return FreezePlan((Phase(0, HEAD), Phase(1, everything)))


def freezing_by_itself(backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
    for parameter in backbone.named_parameters().values():
        parameter.requires_grad_(False)
    return FreezePlan((Phase(0, HEAD),))


def setting_modes(backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
    backbone.stages[0].module.eval()
    return FreezePlan((Phase(0, HEAD),))


def moving(backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
    for parameter in head.parameters():
        parameter.data.add_(1)
    return FreezePlan((Phase(0, HEAD),))


def refusing(backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
    raise ConfigError(f"never {epochs}")


def drifting() -> Planner:
    calls: list[int] = []

    def planner(backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        calls.append(1)
        return FreezePlan((Phase(0, {"head.bias": float(len(calls))}),))

    return planner


@pytest.mark.parametrize(
    "planner", [phases((0, HEAD)), from_the_second_epoch_on, adapting(Adapter(BODY, 2, 4.0))]
)
def test_what_keeps_the_contract_passes(planner: Planner) -> None:
    check_freezing(Strategy(planner))


@pytest.mark.parametrize(
    ("planner", "sentence"),
    [
        (lambda *_: HEAD, "no ftcore.FreezePlan"),
        (phases(), "The plan has no phases"),
        (phases((1, HEAD)), "starts at epoch 1, not at 0"),
        (phases((0, HEAD), (0, HEAD)), "each must start later"),
        (phases((0, HEAD), (1, HEAD)), "starts at epoch 1 and is never reached"),
        (phases((0, {})), "Nothing trains in the phase from epoch 0 on"),
        (phases((0, {"stem.9.weight": 1.0})), "parameters that do not exist: ['stem.9.weight']"),
        (phases((0, {"head.bias": 0.0})), "scale of 'head.bias' is 0.0"),
        (phases((0, {"head.bias": float("nan")})), "scale of 'head.bias' is nan"),
        (adapting(Adapter("body.9.weight", 2, 4.0)), "adapts 'body.9.weight', a parameter that"),
        (adapting(Adapter("body.0.bias", 2, 4.0)), "'body.0.bias', which has 1 dimensions"),
        (adapting(*[Adapter(BODY, 2, 4.0)] * 2), "adapts 'body.0.weight' 2 times"),
        (adapting(Adapter(BODY, 0, 4.0)), "has rank 0, not 1 or more"),
        (adapting(Adapter(BODY, 2, float("nan"))), "has alpha nan"),
        (adapting(Adapter(BODY, 2, 4.0), trained={}), "weight_adapter.down' of an adapter never"),
        (drifting(), "twice gives two plans"),
        (freezing_by_itself, "changed requires_grad"),
        (setting_modes, "changed train or eval modes"),
        (moving, "changed the model's parameters"),
        (refusing, "No number of epochs is right for it: never 10"),
    ],
)
def test_a_broken_promise_is_told_in_a_sentence(planner: Planner, sentence: str) -> None:
    with pytest.raises(AssertionError) as caught:
        check_freezing(Strategy(planner))
    assert sentence in str(caught.value)


def test_what_has_no_plan_is_no_strategy() -> None:
    with pytest.raises(AssertionError, match=r"has no method plan\(\)"):
        check_freezing(object())  # type: ignore[arg-type]
