"""Agreement of predictions and targets against scikit-learn."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from sklearn import metrics as sk
from torch import Tensor

from ftcore import Statistics
from ftcore.default_plugins.classification_metrics.agreement import mcc
from tests.default_plugins.classification_metrics.cases import random_batches, value

PEERS: dict[str, Callable[..., float]] = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "mcc": sk.matthews_corrcoef,
    "kappa": sk.cohen_kappa_score,
}


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize("name", PEERS)
def test_equals_scikit_learn(name: str) -> None:
    for logits, targets in random_batches():
        expected = PEERS[name](targets.numpy(), logits.argmax(-1).numpy())
        assert value(name, logits, targets) == pytest.approx(expected, abs=1e-12)


@pytest.mark.filterwarnings("ignore:'k' .* greater than or equal to 'n_classes'")
@pytest.mark.parametrize("k", [1, 2, 5])
def test_top_k_equals_scikit_learn(k: int) -> None:
    for logits, targets in random_batches():
        classes = range(logits.size(-1))
        if len(classes) == 2 or any(len(torch.unique(row)) < len(row) for row in logits):
            continue  # two classes take another form there, and ties another order
        expected = sk.top_k_accuracy_score(targets.numpy(), logits.numpy(), k=k, labels=classes)
        assert value(f"top_k:{k}", logits, targets) == pytest.approx(expected, abs=1e-12)


def test_mrr_by_hand() -> None:
    logits = torch.tensor([[3.0, 2.0, 1.0]]).repeat(4, 1)
    assert value("mrr", logits, torch.tensor([0, 1, 1, 2])) == pytest.approx(
        (1 + 1 / 2 + 1 / 2 + 1 / 3) / 4
    )


@pytest.mark.parametrize(
    ("name", "predictions", "targets", "expected"),
    [
        ("mcc", [0, 0, 0], [0, 1, 1], 0.0),
        ("mcc", [0, 1, 1], [0, 0, 0], 0.0),
        ("mcc", [0, 0], [0, 0], 0.0),
        ("mcc", [1, 0], [0, 1], -1.0),
        ("kappa", [0, 0], [0, 0], math.nan),
        ("kappa", [0, 0], [0, 1], 0.0),
        ("balanced_accuracy", [0, 1, 2], [0, 0, 0], 1 / 3),
    ],
)
def test_degenerate_cases(
    name: str, predictions: list[int], targets: list[int], expected: float
) -> None:
    logits: Tensor = torch.eye(3)[predictions]
    result = value(name, logits, torch.tensor(targets))
    assert result == pytest.approx(expected, nan_ok=True)


def test_mcc_of_more_examples_than_four_counts_of_int64_can_multiply() -> None:
    halves, quarters = torch.tensor([2 * 10**9] * 2), torch.tensor([10**9] * 2)
    fields = {"support": halves, "predicted": halves, "correct": quarters, "n": halves.sum()}
    assert float(mcc(Statistics(fields))) == 0.0
