from __future__ import annotations

import pytest
import torch

from ftcore import DataBundle, DataError
from ftcore.default_plugins.classification.check import check
from tests.default_plugins.classification.data import bundle

GOOD = [0, 1, 2]


def test_good_targets_pass() -> None:
    check(bundle(GOOD, val=[2, 1], test=[0]))


def test_without_a_training_part_coverage_is_not_asked_for() -> None:
    data = bundle(GOOD, test=[0])
    check(DataBundle("d", "classification", {"test": data.splits["test"]}, data.classes))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (bundle([0], 1), r"has 1 classes \(c0\); classification needs at least 2"),
        (bundle([0], []), r"has 0 classes \(none\)"),
        (bundle(GOOD, ["cat", "dog", "cat"]), "more than once: 'cat'"),
        (bundle([0, 1, -100, 2]), r"example 'image2\.png' in 'train' of dataset 'toys' has target"),
        (bundle([0, 1, -100, 2]), "target -100.*leave such examples out"),
        (bundle(GOOD, test=[0, 3, 4]), r"'image1\.png' in 'test'.*target 3.*0 to 2 \(2 such"),
        (bundle(GOOD, val=[-1]), r"'image0\.png' in 'val'.*target -1.*correct it"),
        (bundle([0, 2], ["ant", "bee", "cat"]), "no training example of 1 of its 3 classes: 'bee'"),
        (bundle([7], 9), "of 8 of its 9 classes: 'c0', 'c1', 'c2', 'c3', 'c4', …; add some"),
        (bundle([0.0, 1.0]), r"are torch\.float32 of shape \(2,\)"),  # type: ignore[list-item]
        (bundle(torch.tensor([0, 1], dtype=torch.int32)), r"are torch\.int32"),
        (bundle(torch.tensor([[0, 1]])), r"of shape \(1, 2\)"),
        (bundle(torch.tensor([], dtype=torch.int64)), "'train'.*has 0 examples"),
    ],
)
def test_what_does_not_fit_is_named(data: DataBundle, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check(data)
