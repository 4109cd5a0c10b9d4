"""Metrics of probabilities against scikit-learn, and calibration by hand."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
from sklearn.metrics import brier_score_loss, log_loss

from tests.default_plugins.classification_metrics.cases import random_batches, value


def test_nll_and_perplexity_equal_scikit_learn() -> None:
    for logits, targets in random_batches():
        expected = log_loss(
            targets.numpy(), logits.softmax(-1).numpy(), labels=range(logits.size(-1))
        )
        assert value("nll", logits, targets) == pytest.approx(expected, rel=1e-9)
        assert value("perplexity", logits, targets) == pytest.approx(np.exp(expected), rel=1e-9)


def test_brier_equals_scikit_learn() -> None:
    for logits, targets in random_batches():
        classes, p = logits.size(-1), logits.softmax(-1).numpy()
        expected = brier_score_loss(
            targets.numpy(), p[:, 1] if classes == 2 else p, labels=range(classes)
        )
        assert value("brier", logits, targets) == pytest.approx(expected, abs=1e-9)


def test_entropy_of_a_uniform_prediction() -> None:
    assert value("entropy", torch.zeros(3, 8), torch.zeros(3).long()) == pytest.approx(log(8))


def calibration_batch() -> tuple[torch.Tensor, torch.Tensor]:
    # Confidence 0.9 twice, right once; confidence 0.6 three times, right each time.
    confidence = torch.tensor([0.9, 0.9, 0.6, 0.6, 0.6], dtype=torch.float64)
    return torch.stack([confidence, 1 - confidence], -1).log(), torch.tensor([0, 1, 0, 0, 0])


def test_ece_by_hand() -> None:
    assert value("ece", *calibration_batch()) == pytest.approx(0.4 * 0.4 + 0.6 * 0.4)


def test_mce_by_hand() -> None:
    logits, targets = calibration_batch()
    targets[2] = 1
    assert value("mce", logits, targets) == pytest.approx(0.4)
    assert value("ece", logits, targets) == pytest.approx(0.4 * 0.4 + 0.6 * (2 / 3 - 0.6))
