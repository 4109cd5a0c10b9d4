from __future__ import annotations

import numpy as np
import pytest
import torch

from ftcore import Metric
from ftcore.default_plugins import classification_metrics
from ftcore.default_plugins.classification.task import ClassificationTask
from ftcore.engine import replicates
from ftcore.engine.pairing import estimate, sample
from ftcore.interfaces import Statistics
from ftcore.registry import Registry
from tests.default_plugins.classification.data import batch, bundle

TASK = ClassificationTask()
REGISTRY: Registry[Metric] = Registry("metric")
classification_metrics.register_metrics(REGISTRY.registrar("classification-metrics"))
METRICS = [REGISTRY.create(name) for name in ("accuracy", "nll", "auroc")]


def statistics_of(rows: int, seed: int = 0) -> Statistics:
    logits, targets = batch(rows, 3, seed)
    statistics = TASK.statistics(bundle([0], 3), ("scores",))
    TASK.update_(statistics, logits, targets)
    return statistics


def test_the_value_comes_first() -> None:
    logits, targets = batch(40, 3)
    made = sample(METRICS, statistics_of(40), TASK, replicates=20)
    assert {name: each.shape for name, each in made.items()} == dict.fromkeys(made, (21,))
    assert made["accuracy"][0] == float((logits.argmax(1) == targets).double().mean())


def test_the_same_examples_are_drawn_of_other_statistics() -> None:
    # With all targets right in one and the draws the same, accuracies of examples that are right
    # in both and wrong in both differ by what is between, never by the draw.
    targets = torch.arange(50) % 2
    right = torch.nn.functional.one_hot(targets, 2).double()
    one, other = (TASK.statistics(bundle([0], 2)) for _ in range(2))
    TASK.update_(one, right, targets)
    first_wrong = right.clone()
    first_wrong[0] = 1 - first_wrong[0]
    TASK.update_(other, first_wrong, targets)
    accuracy = METRICS[:1]
    lost = (
        sample(accuracy, one, TASK)["accuracy"] - sample(accuracy, other, TASK)["accuracy"]
    ) * 50
    assert lost[0] == pytest.approx(1)
    assert np.allclose(lost, np.rint(lost))  # how often the one example was drawn
    assert lost[1:].mean() == pytest.approx(1, abs=0.1)
    assert lost[1:].var() == pytest.approx(49 / 50, abs=0.2)


def test_few_held_at_a_time_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    statistics = statistics_of(30)
    whole = sample(METRICS, statistics, TASK, replicates=50)
    monkeypatch.setattr(replicates, "HELD", 100)
    parts = sample(METRICS, statistics, TASK, replicates=50)
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)


def test_an_estimate_has_the_interval_of_the_rest() -> None:
    measured = estimate(np.array([0.5, *np.linspace(0, 1, 1001)]), 10**6, higher_is_better=False)
    assert (measured.value, measured.n) == (0.5, 10**6)
    assert measured.low == pytest.approx(0.025, rel=1e-3)
    assert measured.high == pytest.approx(0.975, rel=1e-3)
    assert measured.method == "BCa paired bootstrap, 1001 draws"


@pytest.mark.parametrize(
    ("made", "value", "method"),
    [([np.nan, 1.0], None, "undefined"), ([0.5], 0.5, "none (the task keeps no rows")],
)
def test_there_may_be_no_interval(made: list[float], value: float | None, method: str) -> None:
    measured = estimate(np.array(made), 3, higher_is_better=True)
    assert measured.value == value
    assert measured.low is None
    assert measured.method.startswith(method)
