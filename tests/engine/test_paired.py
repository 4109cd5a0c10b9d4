from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from ftcore.default_plugins.classification_metrics import accuracy, nll
from ftcore.engine.paired import bootstrapped, compare_successes, decide, describe_difference
from ftcore.interfaces import Metric, RowProportion
from ftcore.record import DifferenceRecord
from ftcore.significance import paired


def rows(right: list[int]) -> dict[str, torch.Tensor]:
    return {"prediction": torch.tensor(right), "target": torch.ones(len(right), dtype=torch.int64)}


def difference(value: float, p: float | None, metric: Metric) -> DifferenceRecord:
    found = paired.Difference(
        value, value - 0.1, value + 0.1, 0.05, paired.Test(1.0, 1.0, "made up")
    )
    made = describe_difference(metric, (0.5, 0.5 + value), found, (), 100)
    return made.model_copy(update={"p": p})


def test_only_examples_that_one_alone_gets_right_count() -> None:
    metric = accuracy()
    assert isinstance(metric, RowProportion)
    first, second = [1] * 9 + [0] * 11, [1] * 8 + [0] + [1] * 7 + [0] * 4
    test = compare_successes(metric, rows(first), rows(second))
    exact = float(binomtest(1, 8).pvalue)
    assert test.p == pytest.approx(exact - 8 / 2**8)  # mid-p: less half the two-sided chance
    assert "only the first is right on 1 examples, only the second on 7" in test.note
    assert test.statistic == (7 - 1) ** 2 / 8


def test_a_difference_and_its_test_come_from_the_same_draws() -> None:
    drawn = np.random.default_rng(0).normal(1.0, 0.5, size=20_000)
    found, test = bootstrapped(drawn, 1.0, 10_000)
    assert (found.low, found.high) == pytest.approx((1 - 0.98, 1 + 0.98), abs=0.03)
    assert test.p == pytest.approx(0.0455, abs=0.005)  # two standard errors
    assert test.name == "paired bootstrap"


def test_p_is_corrected_for_all_differences_and_decides() -> None:
    found = decide([difference(0.2, 0.01, accuracy()), difference(-0.2, 0.03, accuracy())])
    assert [each.p for each in found] == pytest.approx([0.02, 0.03])  # Holm's, by hand
    assert [each.verdict for each in found] == ["better", "worse"]
    (alone, other) = decide([difference(0.2, 0.03, accuracy()), difference(0.2, 0.04, accuracy())])
    assert (alone.verdict, other.verdict) == ("no difference shown", "no difference shown")
    assert alone.more is not None


def test_lower_may_be_better() -> None:
    (found,) = decide([difference(-0.2, 0.01, nll())])
    assert (found.verdict, found.higher_is_better) == ("better", False)


def test_what_is_undefined_has_neither_interval_nor_verdict() -> None:
    (found,) = decide([describe_difference(accuracy(), (float("nan"), 0.5), None, (), 10)])
    assert (found.reference, found.value, found.difference, found.low) == (None, 0.5, None, None)
    assert (found.method, found.p, found.verdict) == ("undefined", None, "no difference shown")
