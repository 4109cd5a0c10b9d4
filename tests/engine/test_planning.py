from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from ftcore.engine import run as engine
from ftcore.engine.directory import RunDirectory
from ftcore.engine.observer import Observer
from ftcore.engine.planning import as_planned
from ftcore.engine.preparation import prepare
from ftcore.engine.storage import verify_manifest
from ftcore.errors import DataError, StoppedError
from ftcore.interfaces import (
    Adapter,
    Backbone,
    FreezePlan,
    Gradients,
    GradientStrategy,
    Phase,
)
from ftcore.record import Record
from ftcore.studies.family import is_family
from tests.engine.test_run import StopAfter, content, make_parts

TOP = ["top.0.weight", "top.0.bias", "top.1.weight", "top.1.bias"]
HEAD = {"head.weight": 1.0, "head.bias": 1.0}


@dataclass
class Fickle:
    """Plans something else each time it is asked."""

    rates: Iterator[float] = field(default_factory=lambda: iter((1.0, 0.3, 0.1)))

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        raise AssertionError("the engine has gradients")

    def plan_from(
        self, backbone: Backbone, head: nn.Module, epochs: int, gradients: Gradients
    ) -> FreezePlan:
        rates = dict.fromkeys(TOP, next(self.rates)) | HEAD
        return FreezePlan((Phase(0, rates),), reasons={"top": "a whim"})


def run(folder: Path, observer: Observer, **options: Any) -> tuple[Record, RunDirectory]:
    parts = replace(make_parts(out=folder, **options), strategy=Fickle())
    prepared = prepare(parts, observer)
    directory = RunDirectory.create(prepared.parts.config)
    return engine.run(prepared, directory, observer), directory


def test_a_resumed_run_keeps_its_plan_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    assert isinstance(Fickle(), GradientStrategy)
    whole, complete = run(tmp_path, Observer())
    with pytest.raises(StoppedError, match="Go on with") as stopped:
        run(tmp_path, StopAfter(16))
    directory = RunDirectory.open(Path(str(stopped.value).rpartition(" ")[2]))
    strategy = Fickle()
    next(strategy.rates)
    parts = replace(make_parts(**directory.config().model_dump()), strategy=strategy)
    resumed = engine.run(prepare(as_planned(parts, directory), Observer()), directory, Observer())
    assert next(strategy.rates) == 0.3  # it was not asked
    assert content(directory.path) == content(complete.path)
    assert resumed.freeze == whole.freeze
    verify_manifest(directory.path)
    assert "plan.json" in (directory.path / "MANIFEST.sha256").read_text()


def test_the_record_says_why(tmp_path: Path) -> None:
    record, _ = run(tmp_path, Observer(), epochs=1)
    assert record.freeze is not None
    assert {stage.name: stage.reason for stage in record.freeze.stages} == {
        "stem": "",
        "middle": "",
        "top": "a whim",
        "pool": "",
        "head": "",
    }


def test_a_plan_is_read_back_as_it_was(tmp_path: Path) -> None:
    directory = RunDirectory.at(tmp_path / "run", make_parts().config)
    assert directory.plan() is None
    adapter = Adapter("top.0.weight", 2, 0.1 + 0.2)
    phases = Phase(0, HEAD), Phase(2, dict.fromkeys(adapter.parameters, 1 / 3))
    plan = FreezePlan(phases, (adapter,), {"top": "because"})
    directory.write_plan(plan)
    assert directory.plan() == plan


@pytest.mark.parametrize("text", ["", "[]", '{"phases": [{"first": 0}]}', json.dumps({})])
def test_a_damaged_plan_is_refused(tmp_path: Path, text: str) -> None:
    directory = RunDirectory.at(tmp_path / "run", make_parts().config)
    (directory.path / "plan.json").write_text(text)
    with pytest.raises(DataError, match=r"plan\.json is damaged.*start a new run"):
        directory.plan()


def test_only_what_was_measured_is_kept(tmp_path: Path) -> None:
    parts = make_parts(out=tmp_path, epochs=1)
    prepared = prepare(parts, Observer())
    directory = RunDirectory.create(prepared.parts.config)
    engine.run(prepared, directory, Observer())
    assert not (directory.path / "plan.json").exists()


def test_runs_whose_plans_differ_share_no_features() -> None:
    parts = make_parts(cache="memory")
    assert is_family(parts)
    assert not is_family(replace(parts, strategy=Fickle()))
