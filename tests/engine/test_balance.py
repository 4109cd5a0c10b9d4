from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ftcore.engine.balance import count_classes, describe_balance
from ftcore.interfaces import DataBundle
from tests.default_plugins.classification.data import bundle


def test_shares_ratio_and_scarce_classes_are_those_of_train() -> None:
    data = bundle([0] * 60 + [1] * 30 + [2] * 9, test=[2] * 50)
    balance = describe_balance(data)
    assert balance is not None
    assert balance.shares == pytest.approx({"c0": 60 / 99, "c1": 30 / 99, "c2": 1 / 11})
    assert balance.ratio == pytest.approx(60 / 9)
    assert balance.few == {"c2": 9}
    assert count_classes(data)["c2"] == {"train": 9, "test": 50}


def test_a_class_without_an_example_has_no_ratio() -> None:
    balance = describe_balance(bundle([0, 0, 1]))
    assert balance is not None
    assert balance.ratio is None
    assert balance.few == {"c0": 2, "c1": 1, "c2": 0}


@pytest.mark.parametrize(
    "data",
    [
        bundle(torch.tensor([0.5, 1.5])),
        bundle(torch.tensor([[0, 1], [1, 1]])),
        replace(bundle([0, 1]), classes=()),
        bundle([]),
    ],
    ids=["numbers", "many labels", "no classes", "empty"],
)
def test_without_classes_there_is_no_balance(data: DataBundle) -> None:
    empty = replace(data, splits={"train": data.splits["train"]})
    assert describe_balance(empty) is None
