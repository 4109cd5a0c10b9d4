from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from ftcore.engine.adapters import add_adapters
from ftcore.engine.digests import digests
from ftcore.engine.freezing import Freezer, check_plan, check_unmoved, frozen_prefix
from ftcore.engine.model import assemble
from ftcore.errors import FtcoreError, PluginError
from ftcore.interfaces import Adapter, FreezePlan, Phase, Stage
from tests.tiny import make_backbone

HEAD = {"head.weight": 1.0, "head.bias": 1.0}


def make_freezer(plan: FreezePlan) -> Freezer:
    return Freezer(assemble(make_backbone(), nn.Linear(8, 3)), plan)


def with_stage(stage: str) -> dict[str, float]:
    names = make_backbone().named_parameters()
    return {name: 1.0 for name in names if name.startswith(f"{stage}.")} | HEAD


def single(rates: dict[str, float]) -> FreezePlan:
    return FreezePlan((Phase(0, rates),))


def test_modules_without_trainable_parameters_are_in_eval_mode() -> None:
    freezer = make_freezer(single(with_stage("top")))
    freezer.model.train()
    freezer.enter(freezer.plan.phases[0])
    modes = {name: module.training for name, module in freezer.model.named_modules() if name}
    assert modes == {
        "stem": False, "stem.0": False, "stem.1": False, "stem.2": False, "stem.3": False,
        "middle": False, "middle.0": False, "middle.1": False, "middle.2": False,
        "middle.3": False,
        "top": True, "top.0": True, "top.1": True, "top.2": True, "top.3": True,
        "pool": True, "pool.0": True, "pool.1": True,
        "head": True,
    }  # fmt: skip


def test_a_stage_without_parameters_above_frozen_ones_is_in_eval_mode() -> None:
    freezer = make_freezer(single(HEAD))
    freezer.model.train()
    freezer.enter(freezer.plan.phases[0])
    assert [module.training for module in freezer.model] == [False, False, False, False, True]


def test_a_frozen_norm_inside_a_training_stage_is_in_eval_mode() -> None:
    freezer = make_freezer(single({"top.0.weight": 1.0} | HEAD))
    freezer.enter(freezer.plan.phases[0])
    assert freezer.model.get_submodule("top").training
    assert not freezer.model.get_submodule("top.1").training
    assert "top.1.running_mean" in freezer.frozen_state()


def test_only_the_phase_gets_gradients() -> None:
    freezer = make_freezer(single(with_stage("top")))
    freezer.enter(freezer.plan.phases[0])
    trainable = {name for name, p in freezer.model.named_parameters() if p.requires_grad}
    assert trainable == with_stage("top").keys()


def test_what_moves_in_a_later_phase_is_not_frozen() -> None:
    plan = FreezePlan((Phase(0, HEAD), Phase(2, with_stage("top"))))
    freezer = make_freezer(plan)
    frozen = freezer.frozen_state().keys()
    assert not any(name.startswith(("top.", "head.")) for name in frozen)
    assert {"stem.1.running_mean", "middle.0.weight"} <= frozen
    first = freezer.frozen_state(plan.phases[0]).keys()
    assert "top.1.running_var" in first
    assert frozen | freezer.moving_state().keys() == freezer.model.state_dict().keys()
    assert not frozen & freezer.moving_state().keys()


@pytest.mark.parametrize(
    ("rates", "prefix"),
    [(HEAD, 4), (with_stage("top"), 2), (with_stage("stem"), 0)],
)
def test_the_frozen_prefix_ends_at_the_first_stage_that_trains(
    rates: dict[str, float], prefix: int
) -> None:
    freezer = make_freezer(single(rates))
    assert frozen_prefix(freezer.plan.trained, freezer.model) == prefix


def with_adapters(*weights: str) -> Freezer:
    adapters = tuple(Adapter(weight, 2, 4.0) for weight in weights)
    names = [name for adapter in adapters for name in adapter.parameters]
    plan = FreezePlan((Phase(0, dict.fromkeys(names, 1.0) | HEAD),), adapters)
    freezer = make_freezer(plan)
    add_adapters(freezer.model, adapters)
    check_plan(plan, freezer.model, epochs=1)
    return freezer


@pytest.mark.parametrize(("weight", "prefix"), [("top.0.weight", 2), ("stem.0.weight", 0)])
def test_the_frozen_prefix_ends_below_the_first_adapter(weight: str, prefix: int) -> None:
    freezer = with_adapters(weight)
    assert frozen_prefix(freezer.plan.trained, freezer.model) == prefix


def test_what_adapters_change_is_frozen_under_its_own_name() -> None:
    bare = make_freezer(single(HEAD)).frozen_state()
    freezer = with_adapters("stem.0.weight", "top.0.weight")
    assert freezer.frozen_state().keys() == bare.keys()
    assert digests(freezer.frozen_state()) == digests(bare)
    freezer.enter(freezer.plan.phases[0])
    modes = {name: m.training for name, m in freezer.model.named_modules() if name}
    assert [modes[name] for name in ("top", "top.0", "top.1", "middle")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("planned", ["weights", "adapters"])
def test_training_leaves_every_frozen_byte(planned: str) -> None:
    if planned == "adapters":
        freezer = with_adapters("stem.0.weight", "top.0.weight")
        expected = {"head.weight", "top.0.weight_adapter.up", "stem.0.weight_adapter.down"}
    else:
        freezer = make_freezer(single(with_stage("top")))
        expected = {"head.weight", "top.0.weight", "top.1.running_mean"}
    before = digests(freezer.frozen_state())
    moving = digests(freezer.moving_state())
    freezer.enter(freezer.plan.phases[0])
    optimizer = torch.optim.SGD(freezer.model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    for _ in range(3):
        freezer.model(torch.randn(8, 2, 4, 4)).square().sum().backward()
        optimizer.step()
    check_unmoved(before, digests(freezer.frozen_state()))
    changed = {name for name, d in digests(freezer.moving_state()).items() if d != moving[name]}
    assert expected <= changed


def test_a_moved_tensor_is_named() -> None:
    freezer = make_freezer(single(HEAD))
    before = digests(freezer.frozen_state())
    freezer.model.get_parameter("stem.0.weight").data[0] += 1e-7
    with pytest.raises(FtcoreError, match=r"1 frozen tensors moved.*stem\.0\.weight"):
        check_unmoved(before, digests(freezer.frozen_state()))


@pytest.mark.parametrize(
    ("phases", "words"),
    [
        ((), "start at the epochs"),
        ((Phase(1, HEAD),), "start at 0"),
        ((Phase(0, HEAD), Phase(0, HEAD)), "must start at 0 and rise"),
        ((Phase(0, HEAD), Phase(9, HEAD)), "of 4"),
        ((Phase(0, {}),), "nothing trains"),
        ((Phase(0, {"stem.9.weight": 1.0}),), "stem.9.weight"),
        ((Phase(0, {"head.weight": 0.0}),), "above 0"),
        ((Phase(0, {"head.weight": float("nan")}),), "above 0"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(phases: tuple[Phase, ...], words: str) -> None:
    with pytest.raises(PluginError, match=words):
        check_plan(FreezePlan(phases), make_freezer(single(HEAD)).model, epochs=4)


@pytest.mark.parametrize("name", ["head", "stem", "a.b"])
def test_stage_names_that_clash_are_refused(name: str) -> None:
    backbone = make_backbone()
    stages = (*backbone.stages, Stage(name, nn.Identity()))
    with pytest.raises(PluginError, match="names must differ"):
        assemble(replace(backbone, stages=stages), nn.Linear(8, 3))
