from __future__ import annotations

import pytest
from torch import nn

from ftcore.config import RunConfig
from ftcore.engine.model import assemble
from ftcore.engine.optimization import (
    build_optimizer,
    build_schedule,
    default_learning_rate,
    set_rates,
)
from ftcore.errors import ConfigError, UsageError
from ftcore.interfaces import Adapter, FreezePlan, Phase, Weights
from tests.tiny import make_backbone

HEAD = {"head.weight": 1.0, "head.bias": 1.0}
LATER = HEAD | {"top.0.weight": 0.1}


@pytest.mark.parametrize(
    ("spec", "factors"),  # of 4 epochs of 5 steps, at steps 0, 4, 5, 10 and 19
    [
        ("constant", [1, 1, 1, 1, 1]),
        ("constant:warmup=0.25", [0.2, 1, 1, 1, 1]),
        ("cosine", [1, 0.904508497187, 0.853553390593, 0.5, 0.006155829702]),
        ("step:every=1", [1, 1, 0.1, 0.01, 0.001]),
        ("step:every=2,gamma=0.5", [1, 1, 1, 0.5, 0.5]),
    ],
)
def test_schedules(spec: str, factors: list[float]) -> None:
    factor = build_schedule(spec, epochs=4)
    assert [factor(step, 5) for step in (0, 4, 5, 10, 19)] == pytest.approx(factors)


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("cosin", UsageError),
        ("step", UsageError),
        ("step:every=0", ConfigError),
        ("cosine:warmup=1", ConfigError),
        ("cosine:warmup=nan", ConfigError),
    ],
)
def test_bad_schedules_are_refused(spec: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"cosin|step|warmup"):
        build_schedule(spec, epochs=4)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_the_optimizer_holds_what_trains_in_some_phase(name: str) -> None:
    model = assemble(make_backbone(), nn.Linear(8, 3))
    plan = FreezePlan((Phase(0, HEAD), Phase(1, LATER)))
    optimizer = build_optimizer(model, plan, RunConfig.parse({"optimizer": name}))
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert held == {id(model.get_parameter(parameter)) for parameter in LATER}
    set_rates(optimizer, plan, plan.phases[1], 0.5)
    rates = {len(group["params"]): group["lr"] for group in optimizer.param_groups}
    assert rates == {2: 0.5, 1: pytest.approx(0.05)}


@pytest.mark.parametrize(
    ("phases", "weights", "expected"),
    [
        ((HEAD,), "imagenet", 1e-2),
        ((HEAD, LATER), "imagenet", 1e-3),
        ((LATER,), "imagenet", 1e-4),
        ((LATER,), "random", 1e-3),
    ],
)
def test_default_learning_rate(
    phases: tuple[dict[str, float], ...], weights: str, expected: float
) -> None:
    plan = FreezePlan(tuple(Phase(index, rates) for index, rates in enumerate(phases)))
    assert default_learning_rate(plan, Weights(weights)) == expected


@pytest.mark.parametrize(
    ("others", "expected"), [({}, 1e-3), ({"top.0.weight": 1.0}, 1e-4), ({"top.1.bias": 1.0}, 1e-4)]
)
def test_adapters_take_larger_steps_than_the_weights_they_change(
    others: dict[str, float], expected: float
) -> None:
    adapter = Adapter("top.0.weight", 2, 2.0)
    rates = HEAD | dict.fromkeys(adapter.parameters, 1.0) | others
    plan = FreezePlan((Phase(0, rates),), (adapter,))
    assert default_learning_rate(plan, Weights("imagenet")) == expected
