from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import torch

from ftcore.engine.splits import align_classes, complete_splits, take_test
from ftcore.errors import DataError
from ftcore.interfaces import DataBundle
from tests.tiny import Rows, make_bundle, make_split


def only(*parts: str, count: int = 60) -> DataBundle:
    bundle = make_bundle(train=count)
    return replace(bundle, splits={part: bundle.splits[part] for part in parts})


def test_a_single_part_is_cut_in_proportion_and_nothing_is_in_two_parts() -> None:
    bundle = complete_splits(only("train", count=150), seed=0)
    ids = [name for split in bundle.splits.values() for name in split.ids]
    assert len(ids) == len(set(ids)) == 150
    assert {name: len(split) for name, split in bundle.splits.items()} == {
        "train": 108, "test": 30, "val": 12,
    }  # fmt: skip
    for split in bundle.splits.values():
        counts = Counter(split.targets.tolist())
        assert len(set(counts.values())) == 1, counts
    assert any("20%" in note for note in bundle.notes)


def test_the_cut_depends_on_the_split_seed_alone() -> None:
    first, again, other = (complete_splits(only("train"), seed) for seed in (0, 0, 1))
    assert first.splits["test"].ids == again.splits["test"].ids
    assert first.splits["test"].ids != other.splits["test"].ids


def test_val_without_test_becomes_the_test_part() -> None:
    bundle = complete_splits(only("train", "val"), seed=0)
    assert list(bundle.splits["test"].ids) == [f"val/{index}" for index in range(15)]
    assert all(name.startswith("train/") for name in bundle.splits["val"].ids)
    assert any("val part is the test part" in note for note in bundle.notes)


def test_a_complete_dataset_is_left_alone() -> None:
    bundle = make_bundle()
    assert complete_splits(bundle, seed=0) == bundle


def test_subsets_hand_out_the_examples_of_their_ids() -> None:
    bundle = complete_splits(only("train"), seed=3)
    whole = only("train").splits["train"]
    for split in bundle.splits.values():
        position = list(whole.ids).index(split.ids[2])
        assert torch.equal(split.inputs([2])[0], whole.inputs([position])[0])
        assert split.targets[2] == whole.targets[position]


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"test": make_split(3, 3, 0, "x")}, "needs 'train'"),
        ({"train": make_split(9, 3, 0, "x"), "dev": make_split(9, 3, 0, "y")}, "'dev'"),
        ({"train": make_split(3, 3, 0, "x")}, "has 1 training example"),
        (
            {"train": make_split(9, 3, 0, "x"), "test": Rows(torch.empty(0), torch.empty(0), [])},
            "test part of dataset 'tiny' is empty",
        ),
    ],
)
def test_parts_that_cannot_be_used_are_named(parts: dict[str, Rows], words: str) -> None:
    with pytest.raises(DataError, match=words):
        complete_splits(replace(make_bundle(), splits=parts), seed=0)


def test_classes_are_matched_by_name() -> None:
    bundle = replace(only("test"), classes=("bee", "ant", "cat"))
    aligned = align_classes(bundle, ("ant", "bee", "cat", "dog"))
    assert aligned.classes == ("ant", "bee", "cat", "dog")
    names = [bundle.classes[i] for i in bundle.splits["test"].targets.tolist()]
    assert [aligned.classes[i] for i in aligned.splits["test"].targets.tolist()] == names


def test_an_unknown_class_is_named() -> None:
    with pytest.raises(DataError, match=r"'class 2'.*it knows 'class 0', 'class 1'"):
        align_classes(only("test"), ("class 0", "class 1"))


@pytest.mark.parametrize(
    ("parts", "source"),
    [(("train", "val", "test"), "test/0"), (("train", "val"), "val/0"), (("train",), "train/0")],
)
def test_the_part_to_evaluate(parts: tuple[str, ...], source: str) -> None:
    taken = take_test(only(*parts))
    assert taken.splits["test"].ids[0] == source
    assert ("test" in parts) == (taken.notes == ())
