"""The contract of a task whose probabilities can be calibrated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftcore.interfaces import CalibratedTask
from ftcore.testing.values import is_close, is_same

if TYPE_CHECKING:
    from torch import Tensor


def check_calibration(task: CalibratedTask, outputs: Tensor, targets: Tensor) -> None:
    """Assert that temperatures stay in bounds, and change no prediction."""
    assert task.calibration, "calibration names no metric to show before and after."
    low, high = task.temperature_bounds
    assert 0 < low <= 1 <= high, f"temperature_bounds are {low} and {high}; 1 lies between them."
    fitted = task.fit_temperature(outputs, targets)
    assert low <= fitted <= high, f"fit_temperature() returns {fitted}, out of {low} to {high}."
    assert is_close(task.calibrated(outputs, 1.0), outputs, rtol=1e-6, atol=1e-6), (
        "calibrated() changes outputs at temperature 1."
    )
    for temperature in (0.5, 2.0):
        before, after = task.decode(outputs), task.decode(task.calibrated(outputs, temperature))
        assert is_same(before["prediction"], after["prediction"]), (
            f"calibrated() changes a prediction at temperature {temperature}."
        )
