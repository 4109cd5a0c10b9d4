from __future__ import annotations

from dataclasses import replace

import pytest
from torch import nn

from ftcore.default_plugins.freezing.lora import Lora
from ftcore.errors import ConfigError
from ftcore.interfaces import Adapter, Backbone, FreezePlan, Stage
from ftcore.testing import check_freezing
from tests.tiny import make_backbone

HEAD = {"head.weight", "head.bias"}


def plan_of(strategy: Lora, *modules: nn.Module) -> FreezePlan:
    """The plan for a backbone of those modules, or else for the tiny one."""
    stages = tuple(Stage(f"s{index}", module) for index, module in enumerate(modules))
    backbone: Backbone = make_backbone()
    backbone = replace(backbone, stages=stages) if stages else backbone
    return strategy.plan(backbone, nn.Linear(8, 3), 4)


def adapted(plan: FreezePlan) -> list[str]:
    return [adapter.weight for adapter in plan.adapters]


def test_it_keeps_the_contract() -> None:
    check_freezing(Lora(r=1))


def test_adapters_and_head_train_and_nothing_else() -> None:
    plan = plan_of(Lora(r=1))
    assert plan.adapters == tuple(
        Adapter(f"{stage}.0.weight", 1, 1.0) for stage in ("stem", "middle", "top")
    )
    assert plan.phases[0].rates == dict.fromkeys(plan.trained, 1.0)
    assert plan.trained == HEAD | {
        f"{stage}.0.weight_adapter.{part}"
        for stage in ("stem", "middle", "top")
        for part in ("down", "up")
    }


@pytest.mark.parametrize(
    ("strategy", "weights"),
    [
        (Lora(r=1, top=1), ["top.0.weight"]),
        (Lora(r=1, top=2), ["middle.0.weight", "top.0.weight"]),
        (Lora(r=1, match="middle.*"), ["middle.0.weight"]),
        (Lora(r=1, top=2, match="[ms]*"), ["middle.0.weight"]),
        # (4, 18), (6, 36) and (8, 54): 2 * 22, 2 * 42 and 2 * 62 of 72, 216 and 432 numbers.
        (Lora(r=2), ["middle.0.weight", "top.0.weight"]),
        (Lora(r=3), ["top.0.weight"]),
    ],
    ids=str,
)
def test_which_weights_are_adapted(strategy: Lora, weights: list[str]) -> None:
    assert adapted(plan_of(strategy)) == weights


def test_the_scale_is_one_unless_alpha_is_given() -> None:
    assert plan_of(Lora(r=2)).adapters[0].alpha == 2.0
    assert plan_of(Lora(r=2, alpha=16)).adapters[0].alpha == 16.0


def test_attention_linear_and_grouped_layers() -> None:
    modules = (
        nn.Linear(64, 32),
        nn.Sequential(nn.Conv1d(64, 64, 3, groups=4), nn.Conv2d(64, 64, 3, groups=64)),
        nn.TransformerEncoderLayer(32, 2, 64),
        nn.Sequential(nn.Embedding(99, 64), nn.LSTM(64, 64), nn.LayerNorm((8, 8))),
    )
    large = [
        "s0.weight",
        "s1.0.weight",
        "s2.self_attn.in_proj_weight",
        "s2.self_attn.out_proj.weight",
        "s2.linear1.weight",
        "s2.linear2.weight",
    ]
    assert adapted(plan_of(Lora(r=8), *modules)) == large
    assert adapted(plan_of(Lora(r=1), *modules)) == [*large[:2], "s1.1.weight", *large[2:]]


def test_weights_that_modules_share_are_left_alone() -> None:
    one, other = nn.Linear(32, 32), nn.Linear(32, 32)
    other.weight = one.weight
    assert adapted(plan_of(Lora(r=2), nn.Sequential(one, other, nn.Linear(32, 32)))) == [
        "s0.2.weight"
    ]


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (Lora(r=0), "r is 0"),
        (Lora(r=1, alpha=-1), "alpha is -1"),
        (Lora(r=1, top=4), r"lora:top=4 must be 1 to 3, for the stages stem, middle, top"),
        (Lora(r=8), r"the 3 linear .* weights of tiny .* none is large enough for rank 8"),
        (Lora(r=1, match="layer4*"), r"the 0 linear .* match 'layer4\*'"),
    ],
    ids=str,
)
def test_what_cannot_be_planned_is_refused(strategy: Lora, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        plan_of(strategy)
