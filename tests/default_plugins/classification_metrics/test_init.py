"""What holds for every metric of the box."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ftcore import Metric, Proportion, RowProportion, Statistics, UsageError
from tests.default_plugins.classification.data import batch
from tests.default_plugins.classification_metrics.cases import NAMES, REGISTRY, TASK, statistics_of


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("accuracy", "accuracy"),
        ("top_k", "top_5"),
        ("top_k:3", "top_3"),
        ("top_5", "top_5"),
        ("f1", "f1_macro"),
        ("f1:micro", "f1_micro"),
        ("precision:average=weighted", "precision_weighted"),
        ("jaccard_micro", "jaccard_micro"),
        ("recall", "recall_macro"),
        ("ece", "ece"),
    ],
)
def test_name_in_the_record(spec: str, name: str) -> None:
    assert REGISTRY.create(spec).name == name


@pytest.mark.parametrize("spec", ["top_k:0", "top_k:-1", "top_k:x", "f1:average=best", "ece:5"])
def test_wrong_options_are_refused(spec: str) -> None:
    with pytest.raises(UsageError):
        REGISTRY.create(spec)


@pytest.mark.parametrize("spec", NAMES)
def test_it_is_a_metric_with_a_summary(spec: str) -> None:
    assert isinstance(REGISTRY.create(spec), Metric)
    assert REGISTRY.entry(spec).summary.endswith(".")


def test_default_metrics_of_the_task_exist() -> None:
    assert [REGISTRY.create(spec).name for spec in TASK.metrics] == list(TASK.metrics)


def test_proportions_are_those_whose_examples_succeed_or_fail() -> None:
    proportions = {spec for spec in NAMES if isinstance(REGISTRY.create(spec), Proportion)}
    assert proportions == {"accuracy", "top_k", "top_5"}


@pytest.mark.parametrize(("spec", "successes"), [("accuracy", 3), ("top_k:2", 4)])
def test_trials_of_a_proportion(spec: str, successes: int) -> None:
    logits = torch.eye(4)[[0, 1, 2, 0, 0]]
    metric = REGISTRY.create(spec)
    assert isinstance(metric, RowProportion)
    statistics = statistics_of(logits, torch.tensor([0, 1, 2, 1, 3]))
    assert metric.trials(statistics) == (successes, 5)
    assert metric.successes(statistics.rows).tolist() == [True] * 3 + [successes == 4, False]


@pytest.mark.parametrize("spec", NAMES)
def test_needs_name_all_that_is_read(spec: str) -> None:
    metric, whole = REGISTRY.create(spec), statistics_of(*batch(40, 4))
    fields = {name: field for name, field in whole.fields.items() if name in metric.needs}
    rows = {name: row for name, row in whole.rows.items() if name in metric.needs}
    assert metric.compute(Statistics(fields, rows)) == metric.compute(whole)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("spec", NAMES)
def test_leading_dimensions_equal_a_loop(spec: str, classes: int) -> None:
    metric, statistics = REGISTRY.create(spec), statistics_of(*batch(25, classes))
    drawn = TASK.resample(statistics, metric.needs, 12, np.random.default_rng(0))
    values = metric.compute(drawn)
    assert isinstance(values, torch.Tensor)
    assert values.shape == (12,)
    grid = Statistics(
        {name: field.view(3, 4, *field.shape[1:]) for name, field in drawn.fields.items()},
        {n: r.view(3, 4, -1) if n == "weight" else r for n, r in drawn.rows.items()},
    )
    torch.testing.assert_close(metric.compute(grid), values.view(3, 4), equal_nan=True)
    for index in range(12):
        one = Statistics(
            {name: field[index] for name, field in drawn.fields.items()},
            {n: r[index] if n == "weight" else r for n, r in drawn.rows.items()},
        )
        value = metric.compute(one)
        torch.testing.assert_close(value, values[index], equal_nan=True, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("spec", NAMES)
def test_nothing_scored_is_undefined(spec: str) -> None:
    empty = statistics_of(torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64))
    assert math.isnan(float(REGISTRY.create(spec).compute(empty)))


@pytest.mark.parametrize("spec", NAMES)
def test_perfect_predictions_have_the_best_value(spec: str) -> None:
    targets = torch.arange(30) % 3
    logits = 1000 * torch.nn.functional.one_hot(targets, 3).double()
    metric = REGISTRY.create(spec)
    best = 1.0 if metric.higher_is_better or spec == "perplexity" else 0.0
    assert float(metric.compute(statistics_of(logits, targets))) == best


@pytest.mark.parametrize("spec", NAMES)
def test_a_non_finite_row_changes_nothing(spec: str) -> None:
    logits, targets = batch(40, 3)
    spoiled = torch.cat([logits, torch.full((1, 3), math.nan)])
    metric = REGISTRY.create(spec)
    assert metric.compute(
        statistics_of(spoiled, torch.cat([targets, targets[:1]]))
    ) == metric.compute(statistics_of(logits, targets))
