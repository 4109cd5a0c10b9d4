from __future__ import annotations

import pytest
from ftcore_example.freezing import Surgical
from torch import nn

from ftcore import ConfigError
from ftcore.testing import check_freezing, tiny_backbone


@pytest.mark.parametrize("stage", ["stem", "body"])
def test_it_keeps_the_contract(stage: str) -> None:
    check_freezing(Surgical(stage))


def test_the_stage_and_the_head_train_and_nothing_else() -> None:
    plan = Surgical("stem").plan(tiny_backbone(), nn.Linear(8, 2), epochs=1)
    assert {name.partition(".")[0] for name in plan.trained} == {"stem", "head"}


@pytest.mark.parametrize("stage", ["stern", "pool"])
def test_a_stage_that_cannot_train_is_refused(stage: str) -> None:
    with pytest.raises(ConfigError, match=rf"no stage '{stage}' to train; choose from stem, body"):
        Surgical(stage).plan(tiny_backbone(), nn.Linear(8, 2), epochs=1)
