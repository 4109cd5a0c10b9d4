from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from ftcore.config import RunConfig
from ftcore.engine import run as engine
from ftcore.engine.directory import RunDirectory
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.engine.preparation import prepare
from ftcore.errors import ConfigError, StoppedError
from ftcore.studies.plan import plan_runs
from tests.studies.workshop import compose, continue_study, make_study


class Recorder(Observer):
    """Hears what is made, and asks to stop after so many runs."""

    def __init__(self, stop_after: int = 1000) -> None:
        self.made: list[str] = []
        self._stop_after = stop_after

    def member_finished(self, name: str, result: str) -> None:
        self.made.append(f"{name}: {result}")

    def should_stop(self) -> bool:
        return len(self.made) >= self._stop_after


@pytest.mark.parametrize("options", [{"folds": 3}, {"seeds": 2}, {"shots": [2, "full"]}], ids=str)
def test_runs_that_share_features_come_out_as_alone(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    _, directory = make_study(tmp_path, freeze="bottom", **options)
    for cell in plan_runs(directory.config()):
        for member in cell.members:
            ours = RunDirectory.open(directory.run_path(member))
            config = member.config.model_copy(update={"out": tmp_path / "alone"})
            prepared = prepare(compose(config), Observer())
            alone = RunDirectory.create(prepared.parts.config)
            record = engine.run(prepared, alone, Observer())
            mine, theirs = ours.predictions(), alone.predictions()
            assert mine.ids == theirs.ids
            assert mine.version == theirs.version == 1
            for name, row in mine.rows.items():
                assert torch.allclose(row.double(), theirs.rows[name].double(), atol=1e-4), name
            kept = ours.record()
            assert kept.counts == record.counts
            assert kept.best_epoch == record.best_epoch
            assert kept.freeze is not None
            assert record.freeze is not None
            assert kept.freeze.sha256_after == record.freeze.sha256_before
            assert {k: kept.config[k] for k in ("fold", "seed", "shots", "lr")} == {
                k: record.config[k] for k in ("fold", "seed", "shots", "lr")
            }


@pytest.mark.parametrize("freeze", ["bottom", "none"])
def test_what_is_finished_is_not_made_again(tmp_path: Path, freeze: str) -> None:
    observer = Recorder(stop_after=2)
    with pytest.raises(StoppedError, match=r"2 finished runs.*ftcore study --resume"):
        make_study(tmp_path, observer, freeze=freeze, seeds=4)
    (path,) = tmp_path.iterdir()
    manifests = {each: each.stat().st_mtime_ns for each in path.rglob("MANIFEST.sha256")}
    assert len(manifests) == 2
    _, other = make_study(tmp_path / "other", freeze=freeze, seeds=4)
    directory = type(other)(path)
    record = continue_study(directory)
    assert {each: each.stat().st_mtime_ns for each in manifests} == manifests
    assert len(record.cells[0].runs) == 4
    assert record.cells[0].metrics == other.record().cells[0].metrics


def failing(wrong: str) -> Callable[[RunConfig], RunParts]:
    def make(config: RunConfig) -> RunParts:
        if config.freeze == wrong:
            raise ConfigError(f"{wrong} cannot be had")
        return compose(config)

    return make


@pytest.mark.parametrize("wrong", ["bottom", "none"])
def test_a_configuration_that_fails_leaves_the_others(tmp_path: Path, wrong: str) -> None:
    observer = Recorder()
    record, _ = make_study(tmp_path, observer, failing(wrong), freeze=["bottom", "none"], seeds=2)
    failed, fine = record.cells if wrong == "bottom" else reversed(record.cells)
    assert [run.failure for run in failed.runs] == [f"{wrong} cannot be had"] * 2
    assert failed.metrics == {}
    assert fine.metrics["accuracy"].value is not None
    assert len(record.failures) == 2
    assert sum("failed: " in line for line in observer.made) == 2
    assert record.comparison is None


def test_a_bug_in_one_run_is_its_own(tmp_path: Path) -> None:
    def broken(config: RunConfig) -> RunParts:
        if config.seed == 1:
            raise ZeroDivisionError("what is this")
        return compose(config)

    record, _ = make_study(tmp_path, None, broken, freeze="none", seeds=2)
    first, second = record.cells[0].runs
    assert not first.failure
    assert second.failure == "ZeroDivisionError: what is this"


def test_a_study_that_asks_for_more_baselines_has_them_in_each_run(tmp_path: Path) -> None:
    _, directory = make_study(tmp_path, freeze="bottom", seeds=2, baselines="majority,knn")
    for member in plan_runs(directory.config())[0].members:
        record = RunDirectory.open(directory.run_path(member)).record()
        assert [*record.gains] == ["majority class", "knn"]
