from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from torch import Tensor

from ftcore.default_plugins.classification.temperature import BOUNDS, fit_temperature
from tests.default_plugins.classification.data import batch


def by_scipy(logits: Tensor, targets: Tensor) -> float:
    """The minimum by Brent's method, in NumPy."""
    z, y = logits.double().numpy(), targets.numpy()

    def loss(temperature: float) -> float:
        return -float(log_softmax(z / temperature, axis=1)[np.arange(len(y)), y].mean())

    found = minimize_scalar(loss, bounds=BOUNDS, method="bounded", options={"xatol": 1e-10})
    return float(found.x)


@pytest.mark.parametrize("classes", [2, 3, 50])
@pytest.mark.parametrize("scale", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_loss_is_lowest_there(classes: int, scale: float, dtype: torch.dtype) -> None:
    logits, targets = batch(200, classes)
    logits = (scale * logits).to(dtype)
    assert fit_temperature(logits, targets) == pytest.approx(by_scipy(logits, targets), rel=1e-6)


def test_the_temperature_of_scaled_logits_is_scaled() -> None:
    logits, targets = batch(300, 4)
    once = fit_temperature(logits, targets)
    assert fit_temperature(3 * logits, targets) == pytest.approx(3 * once, rel=1e-9)
    assert fit_temperature(logits + 100, targets) == pytest.approx(once, rel=1e-9)


def test_two_examples_by_hand() -> None:
    # Log-odds of 2, right in three of four: calibrated where the odds are 3, at T = 2 / log 3.
    logits = torch.tensor([[2.0, 0.0]]).expand(4, 2)
    targets = torch.tensor([0, 0, 0, 1])
    assert fit_temperature(logits, targets) == pytest.approx(2 / np.log(3), rel=1e-9)


@pytest.mark.parametrize(
    ("logits", "targets", "bound"),
    [
        ([[1.0, 0.0], [0.0, 1.0]], [0, 1], BOUNDS[0]),  # all right: the sharper the better
        ([[1.0, 0.0], [0.0, 1.0]], [1, 0], BOUNDS[1]),  # all wrong: the flatter the better
        ([[50.0, 0.0], [50.0, 0.0]], [0, 1], BOUNDS[1]),  # they know nothing
        ([[0.0, 0.0]], [0], BOUNDS[1]),  # any temperature is as good
        ([[3.0, -2.0]], [0], BOUNDS[0]),  # one example
    ],
)
def test_what_lies_beyond_ends_at_a_bound(
    logits: list[list[float]], targets: list[int], bound: float
) -> None:
    assert fit_temperature(torch.tensor(logits), torch.tensor(targets)) == bound
