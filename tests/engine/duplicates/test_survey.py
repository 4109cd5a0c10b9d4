from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
import torch

from ftcore.content import digest_of
from ftcore.engine.checks import check_inputs
from ftcore.engine.duplicates import survey as surveys
from ftcore.engine.duplicates.survey import Survey
from ftcore.engine.observer import Observer
from ftcore.interfaces import DataBundle
from ftcore.record import DuplicatesRecord, LeakCount
from tests.engine.duplicates.data import with_copies
from tests.engine.duplicates.test_leaks import Flattened
from tests.tiny import Rows, make_bundle, make_split

COPIES = (("test", 3, "train", 10), ("test", 4, "train", 10), ("val", 1, "train", 7))


def look(bundle: DataBundle, near: bool | None = None) -> DuplicatesRecord:
    survey = Survey(bundle, near)
    check_inputs(bundle, Observer(), most=None, note=survey.note)
    return survey.describe()


def test_exact_copies_are_grouped_within_parts_and_between_them() -> None:
    found = look(with_copies(*COPIES, ("train", 20, "train", 21)))
    names = [[f"{example.part} {example.id}" for example in group] for group in found.exact]
    assert names == [
        ["train train/7", "val val/1"],
        ["train train/10", "test test/3", "test test/4"],
        ["train train/20", "train train/21"],
    ]
    assert found.leaked == {"train": LeakCount(exact=2, near=0), "val": LeakCount(exact=0, near=0)}
    assert found.near is None
    assert found.how[1].startswith("no near copies: the dataset has no likeness; --backbone")


def test_near_copies_and_conflicts_are_named() -> None:
    bundle = with_copies(*COPIES[::2], noise=0.02, relabel=True)
    found = look(replace(bundle, likeness=Flattened()))
    assert found.near is not None
    assert [(pair.one.id, pair.other.id) for pair in found.near] == [
        ("train/7", "val/1"),
        ("train/10", "test/3"),
    ]
    assert all(0.99 < pair.likeness < 1 for pair in found.near)
    assert found.conflicts == found.near
    assert found.leaked["train"] == LeakCount(exact=0, near=1)
    assert found.exact == ()


def test_conflicts_among_exact_copies_are_named_by_the_first() -> None:
    found = look(with_copies(*COPIES, relabel=True))
    assert [(pair.one.id, pair.other.id, pair.likeness) for pair in found.conflicts] == [
        ("train/7", "val/1", 1.0),
        ("train/10", "test/3", 1.0),
        ("train/10", "test/4", 1.0),
    ]
    assert found.conflicts[0].one.target != found.conflicts[0].other.target


def test_an_exact_copy_of_a_near_copy_is_a_near_copy_too() -> None:
    bundle = with_copies(("val", 1, "train", 7), noise=0.02)
    rows = bundle.splits["val"]
    assert isinstance(rows, Rows)
    test = bundle.splits["test"]
    assert isinstance(test, Rows)
    test.values[5], test.values[6] = rows.values[1], rows.values[1]
    found = look(replace(bundle, likeness=Flattened()))
    assert found.leaked == {"train": LeakCount(exact=0, near=2), "val": LeakCount(exact=2, near=0)}


def test_features_point_at_copies_of_data_without_likeness() -> None:
    bundle = with_copies(*COPIES[:1], noise=1e-3)
    values = [split.inputs(range(len(split))) for split in bundle.splits.values()]
    survey = Survey(bundle, None, torch.cat([torch.stack(list(v)) for v in values]).flatten(1))
    check_inputs(bundle, Observer(), most=None, note=survey.note)
    found = survey.describe()
    assert found.near is not None
    assert [(pair.one.id, pair.other.id) for pair in found.near] == [("train/10", "test/3")]


@pytest.mark.parametrize(("near", "is_looked_for"), [(None, False), (True, True), (False, False)])
def test_large_datasets_are_searched_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, near: bool | None, is_looked_for: bool
) -> None:
    monkeypatch.setattr(surveys, "MOST_SEARCHED", 89)
    found = look(replace(make_bundle(), likeness=Flattened()), near)
    assert (found.near is not None) == is_looked_for
    if near is None:
        assert found.how[1] == "no near copies: more than 89 examples; --near looks for them"


@dataclass(frozen=True)
class Stored:
    """A split whose examples are told by how they are stored."""

    rows: Rows

    @property
    def ids(self) -> Sequence[str]:
        return self.rows.ids

    @property
    def targets(self) -> torch.Tensor:
        return self.rows.targets

    def __len__(self) -> int:
        return len(self.rows)

    def inputs(self, indices: Sequence[int]) -> Sequence[object]:
        return self.rows.inputs(indices)

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        return [f"file {index}" for index in indices]


def test_what_is_decoded_counts_not_how_it_is_stored() -> None:
    bundle = with_copies(("train", 1, "train", 2))
    train = bundle.splits["train"]
    assert isinstance(train, Rows)
    stored = replace(bundle, splits={**bundle.splits, "train": Stored(train)})
    assert len(look(stored).exact) == 1


class Opaque(Stored):
    """Examples of a kind whose content cannot be told from outside."""

    def inputs(self, indices: Sequence[int]) -> Sequence[object]:
        return [object() for _ in indices]

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        return [digest_of(index % 40) for index in indices]


def test_the_split_tells_content_that_cannot_be_hashed() -> None:
    splits = {"train": Opaque(make_split(45, 3, 1, "train"))}
    found = look(replace(make_bundle(), splits=splits))
    assert [len(group) for group in found.exact] == [2] * 5
    assert found.leaked == {}


def test_one_example_has_no_copies() -> None:
    bundle = replace(make_bundle(), splits={"train": make_split(1, 3, 1, "train")})
    found = look(replace(bundle, likeness=Flattened()))
    assert (found.exact, found.near, found.conflicts) == ((), (), ())
