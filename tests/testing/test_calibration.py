from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from torch import Tensor

from ftcore.default_plugins.classification.task import ClassificationTask
from ftcore.testing.calibration import check_calibration
from tests.default_plugins.classification.data import batch


@dataclass(frozen=True)
class Mute(ClassificationTask):
    calibration: Any = ()


class Unbounded(ClassificationTask):
    def fit_temperature(self, outputs: Tensor, targets: Tensor) -> float:
        return 100.0


class Narrow(ClassificationTask):
    @property
    def temperature_bounds(self) -> tuple[float, float]:
        return 2.0, 3.0


class Shifting(ClassificationTask):
    def calibrated(self, outputs: Tensor, temperature: float) -> Tensor:
        return outputs + 1


class Turning(ClassificationTask):
    def calibrated(self, outputs: Tensor, temperature: float) -> Tensor:
        return outputs if temperature == 1 else -outputs


def test_the_task_in_the_box_passes() -> None:
    check_calibration(ClassificationTask(), *batch(40, 3))


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (Mute(), "names no metric"),
        (Unbounded(), "out of 0.1 to 10"),
        (Narrow(), "1 lies between them"),
        (Shifting(), "changes outputs at temperature 1"),
        (Turning(), "changes a prediction at temperature 0.5"),
    ],
)
def test_broken_promises_are_told(broken: ClassificationTask, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_calibration(broken, *batch(40, 3))
