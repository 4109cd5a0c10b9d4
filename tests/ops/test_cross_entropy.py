from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy

from ftcore import ops


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 2.0, 1.0, 0.25]).double()])
def test_loss_and_coefficients_are_those_of_torch(
    smoothing: float, weights: torch.Tensor | None
) -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(7, 4, generator=generator)
    targets = torch.tensor([0, 3, 1, 1, 2, 0, 3])
    weight = None if weights is None else weights.float()
    expected = cross_entropy(logits, targets, weight=weight, label_smoothing=smoothing)
    loss = ops.CrossEntropy(weights, smoothing)
    assert torch.equal(loss(logits, targets), expected)
    coefficients, counts = loss.coefficients(targets, 4)
    found = -(coefficients * logits.log_softmax(1)).sum() / counts.sum()
    torch.testing.assert_close(found, expected)


def test_a_loss_worked_out_by_hand() -> None:
    # Two classes with equal logits: log 2 for each example, whatever it weighs.
    loss = ops.CrossEntropy(torch.tensor([1.0, 3.0]), 0.5)
    coefficients, counts = loss.coefficients(torch.tensor([0, 1]), 2)
    assert coefficients.tolist() == [[0.75, 0.75], [0.25, 2.25]]
    assert counts.tolist() == [1.0, 3.0]
    assert float(loss(torch.zeros(2, 2), torch.tensor([0, 1]))) == pytest.approx(0.6931472)
