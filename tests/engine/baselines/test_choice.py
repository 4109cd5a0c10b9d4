from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from ftcore.engine.baselines.choice import Choice, choose
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.engine.preparation import prepare
from ftcore.interfaces import Task
from tests.engine.test_run import make_parts
from tests.tiny import make_backbone


def pretrained(**options: Any) -> RunParts:
    """Parts whose weights count as pretrained, and can be made anew."""
    parts = make_parts(**{"baselines": "auto", **options})
    weights = replace(parts.backbone.weights, name="made up")
    backbone = replace(parts.backbone, weights=weights)
    return replace(parts, backbone=backbone, untrained=lambda: make_backbone(seed=5))


def chosen(parts: RunParts) -> Choice:
    return choose(prepare(parts, Observer()))


def test_training_everything_anew_is_left_out_unless_asked_for() -> None:
    choice = chosen(pretrained(freeze="none"))
    assert choice.names == ("majority", "knn", "probe")
    assert choice.reasons == {
        "scratch": "not made: it would take some 1 times the run's work; --baselines scratch"
    }
    assert chosen(pretrained(freeze="none", baselines="scratch")) == Choice(("scratch",))


def test_it_is_made_where_it_takes_a_quarter_of_the_work() -> None:
    # 45 examples in 200 ways are computed once, and trained on in one epoch.
    many = {"augment": "noise", "views": 200, "epochs": 1, "cache": "memory"}
    assert chosen(pretrained(freeze="bottom", **many)).names == ("majority", "knn", "scratch")


@pytest.mark.parametrize("freeze", ["bottom", "bottom:3"])
def test_a_head_alone_is_no_baseline_of_itself(freeze: str) -> None:
    choice = chosen(pretrained(freeze=freeze, baselines="knn,probe"))
    assert choice.names == ("knn",)
    assert "the run itself is a head" in choice.reasons["probe"]


def test_random_weights_are_no_baseline_of_themselves() -> None:
    parts = replace(make_parts(freeze="none", baselines="scratch"), untrained=make_backbone)
    assert "from random weights" in chosen(parts).reasons["scratch"]
    parts = replace(make_parts(freeze="norm", baselines="scratch"), untrained=make_backbone)
    assert chosen(parts).names == ("scratch",)


def test_what_cannot_be_made_anew_has_no_such_baseline() -> None:
    parts = replace(pretrained(baselines="scratch"), untrained=None)
    assert "nothing makes this backbone" in chosen(parts).reasons["scratch"]


def bare(task: Task) -> Any:
    """Return a task without what is optional."""
    required = (
        *("name", "metrics", "check", "build_head", "build_loss", "statistics", "update_"),
        *("resample", "units", "per_class", "baselines", "decode"),
    )
    return SimpleNamespace(**{name: getattr(task, name) for name in required})


def test_a_task_without_the_protocol_has_fewer_baselines() -> None:
    parts = pretrained(freeze="norm")
    choice = chosen(replace(parts, task=bare(parts.task)))
    assert choice.names == ("majority", "probe")
    assert "does not tell an example by its neighbours" in choice.reasons["knn"]
