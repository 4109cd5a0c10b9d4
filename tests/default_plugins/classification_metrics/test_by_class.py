"""Precision, recall, F1 and Jaccard against scikit-learn."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sklearn import metrics as sk

from ftcore.default_plugins.classification_metrics.by_class import F1, PRECISION, RECALL
from tests.default_plugins.classification_metrics.cases import random_batches, statistics_of, value

SCORES: dict[str, Callable[..., float]] = {
    "precision": sk.precision_score,
    "recall": sk.recall_score,
    "f1": sk.f1_score,
    "jaccard": sk.jaccard_score,
}


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("name", SCORES)
def test_averages_equal_scikit_learn(name: str, average: str) -> None:
    for logits, targets in random_batches():
        expected = SCORES[name](
            targets.numpy(), logits.argmax(-1).numpy(), average=average, zero_division=0
        )
        assert value(f"{name}_{average}", logits, targets) == pytest.approx(expected, abs=1e-12)


def test_scores_by_class_equal_scikit_learn() -> None:
    for logits, targets in random_batches():
        statistics = statistics_of(logits, targets)
        expected = sk.precision_recall_fscore_support(
            targets.numpy(),
            logits.argmax(-1).numpy(),
            labels=range(logits.size(-1)),
            zero_division=0,
        )
        for score, column in zip((PRECISION, RECALL, F1), expected, strict=False):
            assert score.by_class(statistics).tolist() == pytest.approx(column.tolist(), abs=1e-12)
