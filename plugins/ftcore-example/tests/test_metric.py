from __future__ import annotations

from typing import Literal

import pytest
import torch
from ftcore_example.metric import RankMeanAbsoluteError

from ftcore import Statistics
from ftcore.testing import check_metric

# Targets 0, 0, 0, 1, 2 and predictions 0, 0, 2, 0, 2: off by 0, 0, 2, 1, 0.
CONFUSION = torch.tensor([[2, 0, 1], [1, 0, 0], [0, 0, 1]])


@pytest.mark.parametrize(
    ("average", "expected"), [("micro", 3 / 5), ("macro", (2 / 3 + 1 + 0) / 3)]
)
def test_it_keeps_the_contract_and_has_the_value_worked_out_by_hand(
    average: Literal["micro", "macro"], expected: float
) -> None:
    metric = RankMeanAbsoluteError(average)
    check_metric(metric)
    value = float(metric.compute(Statistics({"confusion": CONFUSION})))
    assert value == pytest.approx(expected, abs=1e-12)


def test_a_class_without_examples_does_not_count() -> None:
    confusion = torch.tensor([[1, 1, 0], [0, 0, 0], [0, 0, 2]])
    value = RankMeanAbsoluteError("macro").compute(Statistics({"confusion": confusion}))
    assert float(value) == pytest.approx(0.25, abs=1e-12)
