from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from ftcore_example.dataset import CLASSES, make_dots
from ftcore_example.task import OrdinalTask
from torch import Tensor

from ftcore import DataError
from ftcore.testing import check_task

TASK = OrdinalTask()
BUNDLE = make_dots(30)


@pytest.mark.parametrize("needs", [(), ("n", "confusion", "support", "predicted", "correct")])
def test_it_keeps_the_contract(needs: tuple[str, ...]) -> None:
    check_task(TASK, BUNDLE, needs)


def test_it_decodes_the_number_of_thresholds_passed() -> None:
    decoded = TASK.decode(torch.tensor([[3.0, 1.0, -1.0, -2.0], [-1.0, -2.0, -3.0, -4.0]]))
    assert decoded["prediction"].tolist() == [2, 0]
    sigmoid = [1 / (1 + math.exp(-z)) for z in (1.0, -1.0)]
    expected = [sigmoid[0] - sigmoid[1], 1 - sigmoid[1]]
    assert decoded["confidence"].tolist() == pytest.approx(expected, abs=1e-12)


def test_the_loss_is_the_mean_over_thresholds_worked_out_by_hand() -> None:
    outputs = torch.tensor([[2.0, -1.0, -1.0, -1.0]])
    loss = TASK.build_loss(BUNDLE)(outputs, torch.tensor([1]))
    expected = (math.log1p(math.exp(-2)) + 3 * math.log1p(math.exp(-1))) / 4
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_it_counts_what_scikit_learn_counts() -> None:
    from sklearn.metrics import confusion_matrix

    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(50, 4, generator=generator)
    targets = torch.randint(0, 5, (50,), generator=generator)
    statistics = TASK.statistics(BUNDLE)
    TASK.update_(statistics, outputs, targets)
    predictions = TASK.decode(outputs)["prediction"]
    expected = confusion_matrix(targets.numpy(), predictions.numpy(), labels=range(5))
    np.testing.assert_array_equal(statistics.confusion.numpy(), expected)


def test_replicates_spread_as_drawing_examples_does() -> None:
    statistics = TASK.statistics(BUNDLE)
    statistics.fields["confusion"] += torch.diag(torch.tensor([30, 10, 0, 0, 0]))
    drawn = TASK.resample(statistics, ["support"], 4000, np.random.default_rng(0)).support
    # Binomial: 40 draws, each the first class with probability 3/4.
    assert float(drawn[:, 0].double().mean()) == pytest.approx(30, abs=0.2)
    assert float(drawn[:, 0].double().var()) == pytest.approx(40 * 0.75 * 0.25, rel=0.1)


def test_the_baseline_predicts_the_median_of_the_training_part() -> None:
    statistics = TASK.baselines(BUNDLE, torch.tensor([0, 4, 4]))["median class"]
    assert statistics.predicted.tolist() == [0, 0, 3, 0, 0]
    assert CLASSES[2] == "three"


@pytest.mark.parametrize("targets", [torch.zeros(30), torch.zeros(30, 2, dtype=torch.int64)])
def test_targets_that_are_no_indices_are_refused(targets: Tensor) -> None:
    train = dataclasses.replace(BUNDLE.splits["train"], targets=targets)  # type: ignore[type-var]
    with pytest.raises(DataError, match="class indices are int64"):
        TASK.check(dataclasses.replace(BUNDLE, splits={"train": train}))
