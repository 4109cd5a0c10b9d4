from __future__ import annotations

import pytest
from torch import nn

from ftcore.default_plugins import freezing
from ftcore.errors import ConfigError
from ftcore.interfaces import FreezePlan, FreezingStrategy, Gradients, GradientStrategy
from ftcore.registry import Registry
from ftcore.testing import check_freezing
from tests.tiny import make_backbone

HEAD = {"head.weight": 1.0, "head.bias": 1.0}
NAMES = list(make_backbone().named_parameters())


def strategy_of(spec: str) -> FreezingStrategy:
    registry: Registry[FreezingStrategy] = Registry("freezing strategy")
    freezing.register_freezing(registry.registrar("ftcore"))
    return registry.create(spec)


def plan_of(spec: str, **pulls: float) -> FreezePlan:
    """The plan where the first weight of a stage has that gradient, and norm 2, and no other."""
    norms = {name: pulls.get(name.removesuffix(".0.weight"), 0.0) for name in NAMES}
    sizes = {name: 2.0 * name.endswith(".0.weight") for name in NAMES}
    strategy = strategy_of(spec)
    assert isinstance(strategy, GradientStrategy)
    return strategy.plan_from(make_backbone(), nn.Linear(8, 3), 4, Gradients(norms, sizes, 10))


def scales(plan: FreezePlan) -> dict[str, float]:
    (phase,) = plan.phases
    found: dict[str, set[float]] = {}
    for name, rate in phase.rates.items():
        found.setdefault(name.partition(".")[0], set()).add(rate)
    for stage in found.keys() - {"head"}:
        mine = {name for name in NAMES if name.startswith(f"{stage}.")}
        assert mine <= phase.rates.keys()
    return {stage: rate for stage, (rate,) in found.items()}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("auto", {"stem": 1.0, "middle": 0.25, "head": 1.0}),
        ("auto:0.05", {"stem": 1.0, "middle": 0.25, "top": 0.0625, "head": 1.0}),
        ("auto:threshold=0.5", {"stem": 1.0, "head": 1.0}),
        ("auto:stages=1", {"stem": 1.0, "head": 1.0}),
        ("auto:stages=2", {"stem": 1.0, "middle": 1.0, "head": 1.0}),
        ("auto:stages=3", {"stem": 1.0, "middle": 1.0, "top": 1.0, "head": 1.0}),
    ],
)
def test_rates_are_the_relative_gradient_norms_over_the_largest(
    spec: str, expected: dict[str, float]
) -> None:
    assert scales(plan_of(spec, stem=8.0, middle=2.0, top=0.5)) == expected


def test_the_norms_of_a_stage_are_those_of_all_its_parameters() -> None:
    norms = dict.fromkeys(NAMES, 0.0) | {"stem.0.weight": 3.0, "stem.0.bias": 4.0, "top.0.bias": 5}
    sizes = dict.fromkeys(NAMES, 0.0) | {"stem.0.weight": 10.0, "top.1.weight": 6, "top.0.bias": 8}
    strategy = strategy_of("auto")
    assert isinstance(strategy, GradientStrategy)
    plan = strategy.plan_from(make_backbone(), nn.Linear(8, 3), 4, Gradients(norms, sizes, 10))
    # sqrt(9 + 16) / 10 and 5 / sqrt(36 + 64); all parameters of the middle are 0 and stay so.
    assert scales(plan) == {"stem": 1.0, "top": 1.0, "head": 1.0}
    assert plan.reasons["stem"].startswith("relative gradient norm 0.5,")


@pytest.mark.parametrize("spec", ["auto", "auto:stages=1", "auto:stages=3"])
def test_the_one_stage_that_has_a_gradient_trains_alone(spec: str) -> None:
    plan = plan_of(spec, middle=1e-6)
    assert scales(plan) == {"middle": 1.0, "head": 1.0}


@pytest.mark.parametrize("spec", ["auto", "auto:0", "auto:stages=2"])
def test_without_any_gradient_the_head_trains_alone(spec: str) -> None:
    assert dict(plan_of(spec).phases[0].rates) == HEAD


def test_parameters_that_are_all_zero_do_not_decide_for_the_others() -> None:
    norms = dict.fromkeys(NAMES, 0.0) | {
        "stem.0.weight": 1.0,
        "middle.0.weight": 1,
        "top.0.bias": 1,
    }
    sizes = dict.fromkeys(NAMES, 0.0) | {"stem.0.weight": 2.0, "middle.0.weight": 4}
    strategy = strategy_of("auto")
    assert isinstance(strategy, GradientStrategy)
    plan = strategy.plan_from(make_backbone(), nn.Linear(8, 3), 4, Gradients(norms, sizes, 10))
    assert scales(plan) == {"stem": 1.0, "middle": 0.5, "top": 1.0, "head": 1.0}


def test_each_stage_says_why() -> None:
    assert plan_of("auto", stem=8.0, middle=2.0, top=0.5).reasons == {
        "stem": "relative gradient norm 4, 100% of the largest",
        "middle": "relative gradient norm 1, 25% of the largest",
        "top": "relative gradient norm 0.25, 6% of the largest: frozen, below 10%",
    }
    hard = plan_of("auto:stages=2", stem=8.0, middle=2.0, top=0.5).reasons
    assert hard["top"].endswith("6% of the largest: frozen, the 2 largest train")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("auto:threshold=-0.1", "threshold is -0.1"),
        ("auto:threshold=2", "from 0 to 1"),
        ("auto:stages=0", "auto:stages=0 must be 1 to 3"),
        ("auto:stages=4", "stem, middle, top"),
    ],
)
def test_what_cannot_be_is_refused(spec: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        plan_of(spec, stem=1.0)


def test_it_does_not_plan_without_gradients() -> None:
    with pytest.raises(ConfigError, match="by gradients of the training part"):
        strategy_of("auto").plan(make_backbone(), nn.Linear(8, 3), 4)


@pytest.mark.parametrize("spec", ["auto", "auto:0.5", "auto:stages=1"])
def test_it_keeps_the_contract(spec: str) -> None:
    check_freezing(strategy_of(spec))
