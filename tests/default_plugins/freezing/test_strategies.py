from __future__ import annotations

from collections.abc import Mapping

import pytest
from torch import nn

from ftcore.default_plugins import freezing
from ftcore.errors import ConfigError, UsageError
from ftcore.interfaces import FreezePlan, FreezingStrategy
from ftcore.registry import Registry
from tests.tiny import make_backbone

HEAD = {"head.weight", "head.bias"}


def plan_of(spec: str, epochs: int = 6) -> FreezePlan:
    registry: Registry[FreezingStrategy] = Registry("freezing strategy")
    freezing.register_freezing(registry.registrar("ftcore"))
    return registry.create(spec).plan(make_backbone(), nn.Linear(8, 3), epochs)


def stages_of(rates: Mapping[str, float]) -> set[str]:
    return {name.partition(".")[0] for name in rates}


@pytest.mark.parametrize(
    ("spec", "stages"),
    [
        ("none", {"stem", "middle", "top", "head"}),
        ("bottom", {"head"}),
        ("bottom:1", {"middle", "top", "head"}),
        ("bottom:3", {"head"}),
        ("bottom:middle", {"top", "head"}),
        ("top:1", {"top", "head"}),
        ("top:3", {"stem", "middle", "top", "head"}),
        ("match:top.*", {"top", "head"}),
        ("match:top.*,*.1.weight", {"stem", "middle", "top", "head"}),
    ],
)
def test_which_stages_train(spec: str, stages: set[str]) -> None:
    plan = plan_of(spec)
    assert [phase.first_epoch for phase in plan.phases] == [0]
    assert stages_of(plan.phases[0].rates) == stages
    assert plan.phases[0].rates.keys() >= HEAD


def test_norm_trains_batch_norm_biases_and_head_only() -> None:
    names = plan_of("norm").trained - HEAD
    assert names == {
        f"{stage}.{parameter}"
        for stage in ("stem", "middle", "top")
        for parameter in ("0.bias", "1.weight", "1.bias")
    }


def test_discriminative_rates_fall_from_the_head_down() -> None:
    rates = plan_of("discriminative:decay=0.5").phases[0].rates
    stages = ("head.weight", "top.0.weight", "middle.0.weight", "stem.0.weight")
    assert [rates[name] for name in stages] == [1, 0.5, 0.25, 0.125]


def test_gradual_adds_a_stage_from_the_top_every_few_epochs() -> None:
    plan = plan_of("gradual:every=2", epochs=5)
    assert [phase.first_epoch for phase in plan.phases] == [0, 2, 4]
    assert [stages_of(phase.rates) for phase in plan.phases] == [
        {"head"},
        {"top", "head"},
        {"middle", "top", "head"},
    ]
    assert not any(name.startswith("stem") for name in plan.trained)


def test_lp_ft_probes_and_then_trains_everything_more_slowly() -> None:
    first, second = plan_of("lp-ft:probe_epochs=2").phases
    assert (first.first_epoch, second.first_epoch) == (0, 2)
    assert first.rates == dict.fromkeys(HEAD, 1.0)
    assert stages_of(second.rates) == {"stem", "middle", "top", "head"}
    assert set(second.rates.values()) == {0.1}
    assert plan_of("lp-ft").phases[1].first_epoch == 3


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("bottom:0", "1 to 3"),
        ("bottom:4", "stem, middle, top"),
        ("bottom:layer9", "bottom first: stem, middle, top"),
        ("top:9", "1 to 3"),
        ("match:layer9.*", "layer9"),
        ("discriminative:decay=0", "decay is 0"),
        ("discriminative:decay=nan", "decay is nan"),
        ("gradual:every=0", "every is 0"),
        ("lp-ft:probe_epochs=6", "6 of 6"),
        ("lp-ft:rate=-1", "rate is -1"),
    ],
)
def test_what_cannot_apply_is_refused_by_name(spec: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        plan_of(spec)


@pytest.mark.parametrize("spec", ["top", "top:one", "bottom:depth=2", "match"])
def test_options_are_checked(spec: str) -> None:
    with pytest.raises(UsageError, match=spec.partition(":")[0]):
        plan_of(spec)
