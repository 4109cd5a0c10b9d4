from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ftcore.engine.heads import learning_rates, weight_decays
from ftcore.engine.observer import Observer
from ftcore.engine.preparation import prepare
from ftcore.errors import ConfigError, StoppedError
from tests.engine.test_run import StopAfter, content, make_parts, resume, run


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_the_best_of_the_grid_is_trained_as_if_it_had_been_given(
    tmp_path: Path, optimizer: str
) -> None:
    options: dict[str, Any] = {"optimizer": optimizer, "cache": "memory"}
    record, path = run(tmp_path, lr="auto", weight_decay="auto", **options)
    tried = [(each.lr, each.weight_decay) for each in record.search]
    rates, decays = learning_rates(optimizer), weight_decays(optimizer)
    assert tried == [(rate, decay) for rate in rates for decay in decays]
    (chosen,) = [each for each in record.search if each.is_chosen]
    given, other = run(tmp_path, lr=chosen.lr, weight_decay=chosen.weight_decay, **options)
    assert content(path) == content(other)
    assert record.config == {**given.config, "out": record.config["out"]}
    assert given.search == ()
    best = given.history[given.best_epoch or 0]
    assert chosen.best_epoch == given.best_epoch
    assert chosen.val["accuracy"] == best.val["accuracy"]
    assert chosen.val_loss == pytest.approx(best.val_loss, abs=1e-5)
    scores = [(each.val["accuracy"] or 0.0, -(each.val_loss or 0.0)) for each in record.search]
    assert max(scores) == scores[record.search.index(chosen)]


def test_one_of_the_two_can_be_searched_alone(tmp_path: Path) -> None:
    record, _ = run(tmp_path, weight_decay="auto", lr=0.02)
    assert [each.lr for each in record.search] == [0.02] * 4
    record, _ = run(tmp_path, lr="auto")
    assert {each.weight_decay for each in record.search} == {0.01}
    assert "search" in record.timings


@pytest.mark.parametrize(
    "options",
    [{"freeze": "none"}, {"freeze": "bottom:2"}, {"cache": "off"}, {"augment": "noise"}],
    ids=str,
)
@pytest.mark.parametrize("searched", ["lr", "weight_decay"])
def test_a_search_without_kept_features_is_refused(
    tmp_path: Path, options: dict[str, str], searched: str
) -> None:
    given: dict[str, Any] = {"out": tmp_path, searched: "auto", **options}
    parts = make_parts(**given)
    with pytest.raises(ConfigError, match="--" + searched.replace("_", "-") + " auto tries"):
        prepare(parts, Observer())


def test_a_run_that_searches_and_is_stopped_ends_with_the_same_bytes(tmp_path: Path) -> None:
    _, whole = run(tmp_path, lr="auto", weight_decay="auto")
    for questions in (1, 4, 20, 30):
        try:
            _, path = run(tmp_path, StopAfter(questions), lr="auto", weight_decay="auto")
        except StoppedError as stopped:
            path = Path(str(stopped).rpartition(" ")[2])
            resume(path, Observer())
        assert content(path) == content(whole)


def test_views_are_searched_on_the_first(tmp_path: Path) -> None:
    record, _ = run(tmp_path, lr="auto", augment="noise", views=3)
    assert len(record.search) == 8
