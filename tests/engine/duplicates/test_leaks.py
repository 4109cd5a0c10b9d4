from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from ftcore.engine import run as engine
from ftcore.engine.directory import RunDirectory
from ftcore.engine.duplicates import leaks
from ftcore.engine.duplicates.features import FeatureLikeness
from ftcore.engine.duplicates.leaks import find_leaks
from ftcore.engine.observer import Observer
from ftcore.engine.preparation import prepare
from ftcore.errors import StoppedError
from ftcore.interfaces import ComparableTask, DataBundle, Statistics, Task
from ftcore.record import LeaksRecord, Record
from tests.engine.duplicates.data import with_copies
from tests.engine.test_run import StopAfter, make_parts
from tests.tiny import make_bundle

EXACT = (("test", 3, "train", 10), ("test", 7, "train", 4), ("test", 8, "val", 2))


@dataclass(frozen=True)
class Flattened:
    """Compares raw examples as they are."""

    threshold: float = 0.9
    certain: float = 0.999
    ratio: float = 0.12

    def sketch(self, raw: Sequence[Tensor]) -> Tensor:
        return torch.stack(list(raw)).flatten(1)

    def glance(self, sketches: Tensor) -> Tensor:
        return FeatureLikeness().glance(sketches)

    def compare(self, sketches: Tensor, others: Tensor) -> Tensor:
        return FeatureLikeness().compare(sketches, others)

    def describe(self) -> Mapping[str, Any]:
        return {"kind": "flattened"}


def run(
    bundle: DataBundle, folder: Path, observer: Observer | None = None, **options: Any
) -> Record:
    prepared = prepare(make_parts(bundle, out=folder, **options), observer or Observer())
    directory = RunDirectory.create(prepared.parts.config)
    return engine.run(prepared, directory, observer or Observer())


def leaks_of(bundle: DataBundle, folder: Path, **options: Any) -> LeaksRecord:
    record = run(bundle, folder, **options)
    assert record.leaks is not None
    return record.leaks


def test_exact_copies_are_counted_and_named_and_scores_are_given_without_them(
    tmp_path: Path,
) -> None:
    record = run(with_copies(*EXACT, relabel=True), tmp_path, freeze="none")
    found = record.leaks
    assert found is not None
    assert (found.exact, found.in_train, found.conflicts, found.kept) == (3, 2, 3, 27)
    named = [(pair.one.id, pair.other.part, pair.other.id, pair.likeness) for pair in found.pairs]
    assert named == [
        ("test/3", "train", "train/10", 1.0),
        ("test/7", "train", "train/4", 1.0),
        ("test/8", "val", "val/2", 1.0),
    ]
    (folder,) = tmp_path.iterdir()
    rows = load_file(folder / "predictions.safetensors")
    is_right = (rows["prediction"] == rows["target"]).double()
    kept = [row for row in range(30) if row not in (3, 7, 8)]
    accuracy = found.metrics["accuracy"]
    assert accuracy.value == pytest.approx(float(is_right[kept].mean()))
    assert accuracy.n == 27
    assert accuracy.low is not None
    assert list(found.metrics) == list(record.metrics)


def test_where_there_is_none_the_record_says_how_it_was_looked_for(tmp_path: Path) -> None:
    bundle = replace(make_bundle(), likeness=Flattened())
    found = leaks_of(bundle, tmp_path, freeze="bottom")
    assert (found.exact, found.near, found.kept, found.metrics, found.pairs) == (0, 0, 30, {}, ())
    assert found.how[0] == "exact copies by the hash of their content"
    assert found.how[1].startswith("near copies by their likeness as flattened, 0.9 or more")


def test_near_copies_are_found_by_the_features_that_are_kept(tmp_path: Path) -> None:
    found = leaks_of(with_copies(*EXACT, noise=1e-3), tmp_path, freeze="bottom")
    assert found.exact == 0
    named = {(pair.one.id, pair.other.id) for pair in found.pairs}
    assert named >= {("test/3", "train/10"), ("test/7", "train/4"), ("test/8", "val/2")}
    assert found.near == len(named)
    assert found.how[1].startswith("near copies by their likeness as features")


def test_without_features_and_likeness_near_copies_are_not_looked_for(tmp_path: Path) -> None:
    found = leaks_of(with_copies(*EXACT, noise=1e-3), tmp_path, freeze="none")
    assert (found.exact, found.near) == (0, None)
    assert found.how[1].startswith("no near copies: the dataset has no likeness")


@pytest.mark.parametrize("cache", ["off", "memory", "disk"])
def test_near_copies_are_found_by_the_likeness_of_the_data(tmp_path: Path, cache: str) -> None:
    bundle = replace(with_copies(*EXACT, noise=0.02), likeness=Flattened())
    options = {"freeze": "bottom", "cache": cache, "epochs": 1}
    first = leaks_of(bundle, tmp_path / "first", **options)
    again = leaks_of(bundle, tmp_path / "again", **options)
    assert (first.exact, first.near, first.leaked, first.kept) == (0, 3, 3, 27)
    assert first == again


def test_a_large_product_is_left_to_the_data_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaks, "MOST_COMPARED", 100)
    found = leaks_of(with_copies(*EXACT), tmp_path, freeze="bottom")
    assert (found.exact, found.near) == (3, None)
    assert "of 27 with 60: ftcore data check --near" in found.how[1]


def test_a_resumed_run_says_the_same(tmp_path: Path) -> None:
    bundle = replace(with_copies(*EXACT[:2], noise=0.02), likeness=Flattened())
    whole = leaks_of(bundle, tmp_path, freeze="gradual")
    with pytest.raises(StoppedError) as stopped:
        run(bundle, tmp_path, StopAfter(9), freeze="gradual")
    directory = RunDirectory.open(Path(str(stopped.value).rpartition(" ")[2]))
    parts = make_parts(bundle, **directory.config().model_dump())
    record = engine.run(prepare(parts, Observer()), directory, Observer())
    assert record.leaks == whole


@dataclass(frozen=True)
class ByPairs:
    """A task whose units are pairs of examples."""

    task: Task

    def __getattr__(self, name: str) -> Any:
        return getattr(self.task, name)

    def units(self, statistics: Statistics) -> int:
        return self.task.units(statistics) // 2


@pytest.mark.parametrize(
    ("copies", "of_pairs", "words"),
    [
        (EXACT, True, "not the examples one by one"),
        ([("test", index, "train", index) for index in range(30)], False, "every test example"),
    ],
)
def test_where_there_are_no_scores_without_copies_the_record_says_why(
    copies: Any, of_pairs: bool, words: str
) -> None:
    parts = make_parts(with_copies(*copies))
    prepared = prepare(parts, Observer())
    found = find_leaks(parts, prepared.feeder.raw, prepared.feeder.raw, Observer())
    outputs, targets = torch.randn(30, 3), parts.bundle.splits["test"].targets
    statistics = parts.task.statistics(parts.bundle, ["confusion"])
    parts.task.update_(statistics, outputs, targets)
    assert isinstance(parts.task, ComparableTask)
    task: Any = ByPairs(parts.task) if of_pairs else parts.task
    record = found.describe(replace(parts, task=task), statistics)
    assert record.metrics == {}
    assert words in record.note
