from __future__ import annotations

import pytest
import torch

from ftcore.default_plugins.classification.task import ClassificationTask
from ftcore.default_plugins.classification_metrics import accuracy, nll
from ftcore.engine.baselines import find_gains
from ftcore.interfaces import DataBundle, Statistics
from tests.engine.baselines.test_choice import bare

TASK = ClassificationTask()
BUNDLE = DataBundle("", "classification", {}, ("a", "b"))
METRICS = (accuracy(), nll())
TARGETS = torch.arange(400) % 2


def scored(right: int, count: int = 400) -> Statistics:
    """A model that is right on the first examples, as sure of itself on all."""
    shown = torch.where(torch.arange(count) < right, TARGETS[:count], 1 - TARGETS[:count])
    statistics = TASK.statistics(BUNDLE, ["nll"])
    TASK.update_(statistics, 2 * torch.nn.functional.one_hot(shown, 2).double(), TARGETS[:count])
    return statistics


def test_a_gain_is_the_paired_difference() -> None:
    run, baseline = scored(360), scored(320)
    gains = find_gains(TASK, METRICS, run, {"other": baseline})
    found = gains.differences["other"]["accuracy"]
    assert (found.reference, found.value) == (0.8, 0.9)
    assert found.difference == pytest.approx(0.1)
    assert found.low is not None
    assert found.high is not None
    # 40 of 400 examples are won and none is lost: a proportion of 0.1.
    error = (0.1 * 0.9 / 400) ** 0.5
    assert (found.low, found.high) == pytest.approx(
        (0.1 - 1.96 * error, 0.1 + 1.96 * error), abs=4e-3
    )
    assert found.verdict == "better"
    assert [test.name for test in found.tests] == ["McNemar, mid-p", "paired bootstrap"]
    loss = gains.differences["other"]["nll"]
    assert loss.difference == pytest.approx(-0.2)  # 40 of 400 times the logits' difference of 2
    assert (loss.verdict, loss.higher_is_better) == ("better", False)
    assert gains.reasons == {}


def test_a_model_adds_nothing_to_itself() -> None:
    found = find_gains(TASK, METRICS, scored(300), {"same": scored(300)}).differences["same"]
    assert {each.difference for each in found.values()} == {0.0}
    assert {each.verdict for each in found.values()} == {"no difference shown"}
    assert found["accuracy"].p == 1.0


def test_p_is_corrected_for_the_number_of_baselines() -> None:
    run, worse = scored(330), scored(321)
    alone = find_gains(TASK, METRICS, run, {"a": worse}).differences["a"]["accuracy"]
    beside = find_gains(TASK, METRICS, run, {"a": worse, "b": scored(322)})
    assert alone.p is not None
    assert beside.differences["a"]["accuracy"].p == pytest.approx(2 * alone.p)


def test_without_rows_there_is_no_gain_and_the_record_says_so() -> None:
    baseline = Statistics(dict(scored(300).fields))
    gains = find_gains(TASK, METRICS, scored(320), {"whole": scored(300), "bare": baseline})
    assert list(gains.differences) == ["whole"]
    assert "keeps no row" in gains.reasons["bare"]
    short = find_gains(TASK, METRICS, scored(320), {"short": scored(100, count=200)})
    assert (short.differences, [*short.reasons]) == ({}, ["short"])
    other = find_gains(bare(TASK), METRICS, scored(320), {"whole": scored(300)})
    assert (other.differences, [*other.reasons]) == ({}, ["whole"])
