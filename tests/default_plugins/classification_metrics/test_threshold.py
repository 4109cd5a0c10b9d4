"""AUROC and average precision against scikit-learn, with ties and weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor

from ftcore import DataError, Statistics, ops, resampling
from ftcore.default_plugins.classification_metrics import threshold
from tests.default_plugins.classification.data import batch
from tests.default_plugins.classification_metrics.cases import (
    TASK,
    random_batches,
    statistics_of,
    value,
)


def one_against_the_rest(statistics: Statistics) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Return (is positive, score) of each class, as scikit-learn takes them."""
    scores, target = statistics.rows["scores"].numpy(), statistics.rows["target"].numpy()
    positives = [1] if scores.shape[1] == 1 else range(scores.shape[1])
    return [(target == c, scores[:, column]) for column, c in enumerate(positives)]


def test_auroc_equals_scikit_learn_class_by_class() -> None:
    for logits, targets in random_batches():
        statistics = statistics_of(logits, targets)
        defined = [pair for pair in one_against_the_rest(statistics) if 0 < pair[0].mean() < 1]
        expected = np.mean([roc_auc_score(*pair) for pair in defined])
        assert float(threshold.auroc(statistics)) == pytest.approx(expected, abs=1e-12)


def test_average_precision_equals_scikit_learn_class_by_class() -> None:
    for logits, targets in random_batches():
        statistics = statistics_of(logits, targets)
        defined = [pair for pair in one_against_the_rest(statistics) if pair[0].any()]
        expected = np.mean([average_precision_score(*pair) for pair in defined])
        assert float(threshold.average_precision(statistics)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_probabilities_rank_as_log_odds_do(classes: int) -> None:
    logits, targets = batch(200, classes)
    p, truth = logits.softmax(-1).numpy(), targets.numpy()
    scores = p[:, 1] if classes == 2 else p
    auroc = roc_auc_score(truth, scores, multi_class="ovr", average="macro")
    precision = average_precision_score(truth, scores, average="macro")
    assert value("auroc", logits, targets) == pytest.approx(auroc, abs=1e-9)
    assert value("average_precision", logits, targets) == pytest.approx(precision, abs=1e-9)


@pytest.mark.parametrize("classes", [2, 3])
def test_weights_of_replicates_count_as_sample_weights(classes: int) -> None:
    logits, targets = batch(40, classes, seed=3)
    statistics = statistics_of(logits.round(), targets)
    drawn = TASK.resample(statistics, ("scores", "target"), 8, np.random.default_rng(0))
    auroc, precision = threshold.auroc(drawn), threshold.average_precision(drawn)
    for index, weight in enumerate(drawn.rows["weight"].numpy()):
        pairs = one_against_the_rest(statistics)
        expected = np.mean([roc_auc_score(*pair, sample_weight=weight) for pair in pairs])
        assert auroc[index].item() == pytest.approx(expected, abs=1e-12)
        expected = np.mean([average_precision_score(*pair, sample_weight=weight) for pair in pairs])
        assert precision[index].item() == pytest.approx(expected, abs=1e-12)


def test_confident_predictions_are_still_ranked() -> None:
    # Both probabilities are 1.0 in float64; their order is in the logits alone.
    logits = torch.tensor([[0.0, 50.0], [0.0, 60.0]], dtype=torch.float64)
    assert value("auroc", logits, torch.tensor([0, 1])) == 1.0


def test_all_scores_tied() -> None:
    assert value("auroc", torch.zeros(4, 2), torch.tensor([0, 1, 1, 1])) == 0.5
    assert value("average_precision", torch.zeros(4, 2), torch.tensor([0, 1, 1, 1])) == 0.75


@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("auroc", 0, math.nan),
        ("auroc", 1, math.nan),
        ("average_precision", 0, math.nan),
        ("average_precision", 1, 1.0),
    ],
)
def test_one_class_alone(name: str, target: int, expected: float) -> None:
    logits: Tensor = torch.arange(6.0).view(3, 2)
    result = value(name, logits, torch.full((3,), target))
    assert result == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("metric", [threshold.auroc, threshold.average_precision])
def test_statistics_without_scores_are_refused(metric: Callable[[Statistics], Tensor]) -> None:
    with pytest.raises(DataError, match="keep no scores"):
        metric(ops.classification_statistics(*batch(9, 3)))


RESAMPLED = [
    (threshold.auroc, threshold.bootstrap_auroc),
    (threshold.average_precision, threshold.bootstrap_average_precision),
]
Bootstrap = Callable[[Statistics, int, int], NDArray[np.float64]]


@pytest.mark.parametrize(("metric", "bootstrap"), RESAMPLED)
@pytest.mark.parametrize("classes", [2, 3])
def test_bootstrap_equals_the_metric_of_drawn_weights(
    metric: Callable[[Statistics], Tensor], bootstrap: Bootstrap, classes: int
) -> None:
    logits, targets = batch(30, classes, seed=3)
    targets[targets == 0] = 1  # all but one, so that some replicates lack a class
    targets[4] = 0
    statistics = statistics_of(logits.round(), targets)
    weight = torch.from_numpy(resampling.draws(30, 40, 9))
    expected = metric(Statistics({}, {**statistics.rows, "weight": weight})).numpy()
    found = bootstrap(statistics, 40, 9)
    assert found.shape == (40,)
    assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("bootstrap", [pair[1] for pair in RESAMPLED])
def test_examples_that_were_not_scored_are_not_drawn(bootstrap: Bootstrap) -> None:
    logits, targets = batch(30, 3)
    with_gaps, kept = targets.clone(), torch.arange(30) % 4 != 0
    with_gaps[~kept] = -100
    found = bootstrap(statistics_of(logits, with_gaps), 20, 0)
    assert found.tolist() == bootstrap(statistics_of(logits[kept], targets[kept]), 20, 0).tolist()


@pytest.mark.parametrize("bootstrap", [pair[1] for pair in RESAMPLED])
def test_what_cannot_be_drawn_from(bootstrap: Bootstrap) -> None:
    statistics = statistics_of(*batch(9, 3))
    empty = Statistics({}, {name: row[:0] for name, row in statistics.rows.items()})
    assert np.isnan(bootstrap(empty, 4, 0)).tolist() == [True] * 4
    with pytest.raises(DataError, match="keep no scores"):
        bootstrap(ops.classification_statistics(*batch(9, 3)), 4, 0)
    statistics.rows["weight"] = torch.ones(2, 9)
    with pytest.raises(DataError, match="cannot be drawn from again"):
        bootstrap(statistics, 4, 0)
