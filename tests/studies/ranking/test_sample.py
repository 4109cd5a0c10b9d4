from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ftcore.errors import DataError
from ftcore.studies.ranking.sample import training_part
from tests.tiny import make_bundle, make_split


def test_the_test_part_is_left_out_and_nothing_else() -> None:
    bundle = training_part(make_bundle(train=45, val=15), 60, seed=0)
    assert {part: len(split) for part, split in bundle.splits.items()} == {"train": 45, "val": 15}


def test_of_many_examples_each_class_and_part_gives_its_share() -> None:
    whole = make_bundle(classes=3, train=300, val=90)
    bundle = training_part(whole, 39, seed=0)
    counts = {part: torch.bincount(split.targets).tolist() for part, split in bundle.splits.items()}
    assert counts == {"train": [10, 10, 10], "val": [3, 3, 3]}
    again, other = (training_part(whole, 39, seed=seed) for seed in (0, 1))
    assert bundle.splits["train"].ids == again.splits["train"].ids
    assert bundle.splits["train"].ids != other.splits["train"].ids


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (torch.zeros(6, dtype=torch.int64), "6 examples of 1 classes"),
        (torch.tensor([0, 0, 0, 0, 0, 1]), "two classes with two examples each"),
        (torch.zeros(6), "ranked for classification alone"),
        (torch.zeros(6, 2, dtype=torch.int64), "ranked for classification alone"),
    ],
)
def test_what_cannot_be_ranked_on_is_refused(targets: torch.Tensor, words: str) -> None:
    bundle = make_bundle()
    train = replace(make_split(6, 2, 1, "train"), targets=targets)
    with pytest.raises(DataError, match=words):
        training_part(replace(bundle, splits={**bundle.splits, "train": train}), 100, seed=0)
