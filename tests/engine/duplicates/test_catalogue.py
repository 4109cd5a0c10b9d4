from __future__ import annotations

import torch

from ftcore.engine.duplicates.catalogue import Catalogue
from ftcore.engine.duplicates.near import Pair
from ftcore.interfaces import DataBundle
from ftcore.record import ExampleRecord
from tests.tiny import Rows

# places:     0    1    2    3    4    5    6    7
DIGESTS = {"train": "aab", "val": "c", "test": "bdac"}


def catalogue(targets: torch.Tensor | None = None) -> Catalogue:
    splits = {
        part: Rows(
            torch.zeros(len(digests), 1),
            torch.arange(len(digests)) if targets is None else targets[: len(digests)],
            [f"{part}{index}" for index in range(len(digests))],
        )
        for part, digests in DIGESTS.items()
    }
    bundle = DataBundle("four", "classification", splits, ("x", "y", "z"))
    return Catalogue(bundle, {part: list(digests) for part, digests in DIGESTS.items()})


def test_contents_are_grouped_and_the_first_of_each_stands_for_it() -> None:
    made = catalogue()
    assert made.groups == {"a": [0, 1, 6], "b": [2, 4], "c": [3, 7], "d": [5]}
    assert made.unique(range(8)) == [0, 2, 3, 5]
    assert made.unique([7, 6, 1]) == [7, 6]
    assert made.tests == [4, 5, 6, 7]


def test_copies_of_tests_are_in_other_parts_the_likest_first() -> None:
    made = catalogue()
    near = [Pair(2, 5, 0.95), Pair(0, 3, 0.9)]  # b ~ d, a ~ c
    copies = made.copies_of_tests(near)
    assert copies == {
        4: [Pair(4, 2, 1.0)],
        5: [Pair(5, 2, 0.95)],
        6: [Pair(6, 0, 1.0), Pair(6, 1, 1.0), Pair(6, 3, 0.9)],
        7: [Pair(7, 3, 1.0), Pair(7, 0, 0.9), Pair(7, 1, 0.9)],
    }
    assert [made.is_exact(pair) for pair in copies[6]] == [True, True, False]


def test_an_example_is_named_with_its_target() -> None:
    assert catalogue().example(6) == ExampleRecord(part="test", id="test2", target="z")
    assert catalogue().example(7).target == "3"  # which is no class, and refused elsewhere
    regression = catalogue(torch.tensor([[0.5, 1.5]] * 4))
    assert regression.example(0).target == "[0.5, 1.5]"


def test_a_pair_of_different_targets_is_a_conflict() -> None:
    made = catalogue()
    assert made.duplicate(Pair(6, 0, 1.0)).is_conflict
    assert not made.duplicate(Pair(4, 0, 1.0)).is_conflict


def test_of_thousands_of_copies_each_part_and_target_has_one() -> None:
    targets = torch.arange(3000) % 3
    rows = Rows(torch.zeros(3000, 1), targets, [str(index) for index in range(3000)])
    splits = dict.fromkeys(("train", "val", "test"), rows)
    bundle = DataBundle("same", "classification", splits, ("x", "y", "z"))
    made = Catalogue(bundle, {part: ["a"] * 3000 for part in splits})
    copies = made.copies_of_tests(())
    assert len(copies) == 3000
    assert [pair.other for pair in copies[6000]] == [0, 1, 2, 3000, 3001, 3002]
