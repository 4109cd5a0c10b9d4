from __future__ import annotations

import json

import pytest
import torch

from ftcore.cli import main
from ftcore.engine.features.segment import Segment
from ftcore.engine.features.store import FeatureStore
from ftcore.engine.observer import Observer


@pytest.fixture
def kept() -> list[str]:
    """The keys of what was kept for two functions."""
    store = FeatureStore.from_environment()
    keys = []
    for weights in "ab":
        about = {"backbone": "resnet18", "stages": ["stem", "pool"], "weights": weights}
        shelf = store.shelf(about, Observer())
        with shelf.locked():
            shelf.add(Segment(("0" * 64,), torch.zeros(1, 8), 1.0))
        keys.append(shelf.key)
    return sorted(keys)


def test_what_is_kept_is_listed_and_cleared(
    kept: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["cache", "list"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == 3
    assert sorted(line[:12] for line in lines[:2]) == [key[:12] for key in kept]
    assert "resnet18, stem to pool" in lines[0]
    assert "of at most 10 GB in" in lines[2]
    assert main(["cache", "list", "--json"]) == 0
    listed = json.loads(capfd.readouterr().out)
    assert sorted(entry["key"] for entry in listed["entries"]) == kept
    assert listed["limit"] == 10**10
    assert main(["cache", "clear", kept[0][:12]]) == 0
    assert "deleted 1 of 2 entries" in capfd.readouterr().out
    assert main(["cache", "clear"]) == 0
    assert main(["cache", "list"]) == 0
    assert "0 bytes of at most" in capfd.readouterr().out


def test_a_key_that_is_not_there_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "clear", "abc"]) == 2
    assert "no features have the key 'abc'" in capfd.readouterr().err


def test_a_limit_that_is_no_size_is_refused(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FTCORE_CACHE_LIMIT", "plenty")
    assert main(["cache", "list"]) == 3
    assert "FTCORE_CACHE_LIMIT is 'plenty'" in capfd.readouterr().err
