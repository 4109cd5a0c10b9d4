from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ftcore.errors import ConfigError
from ftcore.studies.config import StudyConfig


def make(**options: Any) -> StudyConfig:
    return StudyConfig.of(options, "the test")


def test_lists_make_a_grid_whose_last_option_varies_fastest() -> None:
    config = make(freeze=["bottom", "none"], backbone=("a", "b"), epochs=3)
    assert config.varied == ("freeze", "backbone")
    assert [(each["backbone"], each["freeze"]) for each in config.configurations()] == [
        ("a", "bottom"),
        ("a", "none"),
        ("b", "bottom"),
        ("b", "none"),
    ]
    assert all(each["epochs"] == 3 for each in config.configurations())


def test_metrics_are_all_shown_of_each_configuration() -> None:
    (only,) = make(metric=["accuracy", "nll"]).configurations()
    assert only["metric"] == ("accuracy", "nll")


def test_it_is_saved_as_it_is_read(tmp_path: Path) -> None:
    config = make(
        folds=5, seeds=2, freeze=["bottom", "none"], metric=["accuracy"], shots=[1, "full"], lr=0.1
    )
    path = tmp_path / "study.yaml"
    path.write_text(config.to_yaml())
    assert StudyConfig.load(path) == config
    assert config.runs["shots"] == (1, None)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"folds": 1}, "'folds' is 1"),
        ({"seeds": 0}, "'seeds' is 0"),
        ({"epochs": [1, 0]}, "'epochs' is 0"),
        ({"freezee": "none"}, "unknown key 'freezee'; did you mean 'freeze'"),
        ({"freeze": []}, "'freeze' of the study is an empty list"),
        ({"freeze": ["none", "none"]}, "has the value 'none' twice"),
        ({"fold": "1/5"}, "'fold' is for a run"),
        ({"require": "accuracy>=0.9"}, "'require' is for a run"),
        ({"seed": [0, 1]}, "'seeds' says how many"),
        ({"runs": {}}, "unknown key 'runs'"),
    ],
)
def test_what_a_study_cannot_do_is_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make(**options)
