from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import torch

from ftcore.config import RunConfig
from ftcore.engine.partition import complete_splits, make_parts
from ftcore.errors import ConfigError, DataError
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


def parts_of(bundle: DataBundle, **options: object) -> dict[str, list[str]]:
    made = make_parts(bundle, RunConfig.parse(options))
    return {part: list(split.ids) for part, split in made.splits.items()}


def test_each_example_is_tested_in_one_fold_and_never_trained_on_there() -> None:
    bundle = only("train", "val")
    tested: list[str] = []
    for number in range(1, 6):
        parts = parts_of(bundle, fold=f"{number}/5")
        names = [name for part in parts.values() for name in part]
        assert len(names) == len(set(names)) == 75
        assert {part: len(ids) for part, ids in parts.items()} == {
            "train": 54, "val": 6, "test": 15,
        }  # fmt: skip
        tested += parts["test"]
    assert sorted(tested) == sorted([*bundle.splits["train"].ids, *bundle.splits["val"].ids])


def test_a_test_part_of_the_dataset_stays_out_of_the_folds() -> None:
    made = make_parts(make_bundle(), RunConfig.parse({"fold": "1/3"}))
    names = [name for split in made.splits.values() for name in split.ids]
    assert not any(name.startswith("test/") for name in names)
    assert any("own test part (30 examples) takes no part" in note for note in made.notes)


def test_a_limit_leaves_each_class_its_share() -> None:
    split = make_split(40, 2, 0, "x")
    split.targets[:] = (torch.arange(40) < 10).long()  # 30 and 10
    bundle = replace(make_bundle(classes=2), splits={**make_bundle().splits, "train": split})
    made = make_parts(bundle, RunConfig.parse({"limit": 12}))
    assert Counter(made.splits["train"].targets.tolist()) == {0: 9, 1: 3}
    assert "12 of 40 training examples" in made.notes[-1]
    assert make_parts(bundle, RunConfig.parse({"limit": 40})) == bundle


def test_shots_are_drawn_of_each_class_by_the_seed() -> None:
    bundle = make_bundle()
    made = make_parts(bundle, RunConfig.parse({"shots": 2}))
    for part in ("train", "val"):
        assert Counter(made.splits[part].targets.tolist()) == {0: 2, 1: 2, 2: 2}
    assert made.splits["test"] == bundle.splits["test"]
    again, other = (parts_of(bundle, shots=2, seed=seed) for seed in (0, 1))
    assert again["train"] == list(made.splits["train"].ids) != other["train"]


def grouped(*names: str) -> DataBundle:
    """Examples of alternating classes, each of the groups with 6 of them."""
    ids = [f"{name}_{index}" for name in names for index in range(6)]
    split = replace(make_split(len(ids), 2, 0, "x"), ids=ids)
    return replace(make_bundle(classes=2), splits={"train": split})


def group_of(name: str) -> str:
    return name.partition("_")[0]


@pytest.mark.parametrize("options", [{}, {"fold": "2/3"}], ids=["cut", "fold"])
def test_no_group_is_in_two_parts(options: dict[str, str]) -> None:
    parts = parts_of(grouped(*"abcdefg"), group="^[a-z]", **options)
    found = [group for ids in parts.values() for group in {group_of(name) for name in ids}]
    assert sorted(found) == list("abcdefg")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fold": "1/61"}, "'class 0' of dataset 'tiny' has 15 examples, fewer than the 61 folds"),
        ({"shots": 16}, "'class 0' of dataset 'tiny' has 1. training examples, fewer than"),
        ({"group": "nowhere"}, "finds no group in the id 'train/0'"),
        ({"group": "^train"}, "finds 1 groups in dataset 'tiny', fewer than the 2 parts"),
        ({"group": "(x?)t"}, "finds no group in the id 'train/0'"),
    ],
)
def test_what_is_too_little_to_be_divided_is_named(options: dict[str, object], words: str) -> None:
    bundle = replace(make_bundle(), splits={"train": make_bundle().splits["train"]})
    with pytest.raises(DataError, match=words):
        make_parts(bundle, RunConfig.parse(options))


@pytest.mark.parametrize("fold", ["0/5", "6/5", "1/1", "2 of 5", "-1/5"])
def test_a_fold_that_does_not_exist_is_refused(fold: str) -> None:
    with pytest.raises(ConfigError, match=f"fold '{fold}'"):
        make_parts(make_bundle(), RunConfig.parse({"fold": fold}))


def test_a_pattern_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ConfigError, match="is no regular expression"):
        make_parts(grouped(*"abc"), RunConfig.parse({"group": "("}))
