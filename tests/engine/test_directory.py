"""A run's folder says whether its run has ended, and outlives the kills on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from ftcore.config import RunConfig
from ftcore.engine.directory import RunDirectory
from ftcore.errors import DataError
from ftcore.record import Record


@pytest.fixture
def directory(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(RunConfig.parse({"out": tmp_path / "runs"}))


def test_a_new_folder_holds_the_configuration_and_is_unfinished(directory: RunDirectory) -> None:
    assert directory.path.name == "digits-resnet18-bottom-1"
    assert directory.config() == RunConfig.parse({"out": directory.path.parent})
    assert not directory.is_complete
    with pytest.raises(DataError, match=f"{directory.path} is unfinished.*--resume"):
        directory.record()


def test_what_a_kill_left_does_not_keep_a_run_from_ending(directory: RunDirectory) -> None:
    directory.checkpoint.parent.mkdir()
    directory.checkpoint.touch()
    directory.scratch.touch()
    (directory.checkpoint.parent / f".{directory.checkpoint.name}.0123456789abcdef.tmp").touch()
    directory.finish(Record.model_construct())
    assert directory.is_complete
    names = sorted(path.name for path in directory.path.iterdir())
    assert names == ["MANIFEST.sha256", "config.yaml", "record.json"]


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{tmp_path} is no run"):
        RunDirectory.open(tmp_path)
