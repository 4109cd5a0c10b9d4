from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch

from ftcore.default_plugins.classification import classification
from ftcore.engine.checks import check_data
from ftcore.engine.observer import Observer
from ftcore.errors import DataError
from tests.tiny import Rows, make_bundle, make_split


@dataclass(frozen=True)
class Damaged(Rows):
    """A split some of whose examples cannot be read."""

    broken: Sequence[int] = ()
    read: list[int] = field(default_factory=list)

    def inputs(self, indices: Sequence[int]) -> Sequence[Any]:
        self.read.extend(indices)
        for index in indices:
            if index in self.broken:
                raise DataError(f"{self.ids[index]} is broken")
        return super().inputs(indices)


class Notes(Observer):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def damaged(count: int, broken: Sequence[int]) -> Damaged:
    rows = make_split(count, 3, 0, "train")
    return Damaged(rows.values, rows.targets, rows.ids, broken)


def test_every_broken_example_is_named_up_to_ten() -> None:
    bundle = make_bundle()
    parts = {**bundle.splits, "train": damaged(300, range(3, 300, 25))}
    with pytest.raises(DataError) as caught:
        check_data(replace(bundle, splits=parts), classification(), Observer())
    text = str(caught.value)
    assert text.startswith("12 of 345 examples of 'tiny' cannot be used: train/3 is broken;")
    assert text.count("is broken") == 10
    assert text.endswith("and 2 more")


def test_of_a_large_part_some_are_read_and_that_is_said() -> None:
    bundle, split, notes = make_bundle(), damaged(1000, []), Notes()
    parts = {**bundle.splits, "train": split}
    check_data(replace(bundle, splits=parts), classification(), notes, most=100)
    assert sorted(split.read) == list(range(0, 1000, 10))
    assert notes.notes == ["read 145 of 1,045 examples; ftcore data check reads them all"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ids": ["a"] * 45}, "id 'a' occurs twice in the train part"),
        ({"ids": ["a"]}, "1 examples, 1 ids and 45 targets"),
        ({"targets": torch.full((45,), -100)}, "target -100.*leave such examples out"),
        ({"targets": torch.arange(45)}, "'train/3'.*target 3, but classes go from 0 to 2"),
        ({"values": torch.full((45, 2), torch.inf)}, "'train/0' holds values that are not finite"),
    ],
)
def test_what_cannot_be_trained_on_is_named(change: dict[str, Any], words: str) -> None:
    bundle = make_bundle()
    split = replace(make_split(45, 3, 0, "train"), **change)
    bundle = replace(bundle, splits={**bundle.splits, "train": split})
    with pytest.raises(DataError, match=words):
        check_data(bundle, classification(), Observer())
