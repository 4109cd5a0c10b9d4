"""Temperature scaling: outputs divided by one number, fitted on val, and what that does on test.

Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", arXiv:1706.04599.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ftcore.engine.batches import Source
from ftcore.engine.evaluation import Evaluator
from ftcore.engine.intervals import intervals
from ftcore.engine.needs import needs_of
from ftcore.engine.observer import Observer
from ftcore.engine.pairing import estimate, sample
from ftcore.engine.parts import Parts
from ftcore.interfaces import CalibratedTask, Inputs, Metric, Statistics
from ftcore.record import CalibrationRecord


@dataclass(frozen=True)
class Calibrator:
    """Scores outputs as they are and at a temperature, beside whatever else is made of them."""

    task: CalibratedTask
    metrics: Sequence[Metric]
    temperature: float
    examples: int  # of val, that it was fitted on
    before: Statistics
    after: Statistics

    @classmethod
    def at(cls, parts: Parts, temperature: float, examples: int) -> Calibrator | None:
        """Start with empty statistics; None where the task's outputs cannot be scaled."""
        task, metrics = parts.task, parts.calibration
        if not isinstance(task, CalibratedTask) or not metrics:
            return None
        needs = needs_of(metrics)
        before, after = (task.statistics(parts.bundle, needs) for _ in range(2))
        return cls(task, metrics, temperature, examples, before, after)

    def add(self, outputs: Inputs, targets: Tensor) -> None:
        """Add a batch to both statistics."""
        self.task.update_(self.before, outputs, targets)
        scaled = self.task.calibrated(outputs, self.temperature)
        self.task.update_(self.after, scaled, targets)

    def describe(self) -> CalibrationRecord:
        """Return the scores before and after, and the paired changes."""
        task, metrics = self.task, self.metrics
        before, after = (sample(metrics, each, task) for each in (self.before, self.after))
        units = task.units(self.before)
        return CalibrationRecord(
            temperature=self.temperature,
            is_bounded=self.temperature in task.temperature_bounds,
            n=self.examples,
            before=intervals(metrics, self.before, task),
            after=intervals(metrics, self.after, task),
            change={
                each.name: estimate(
                    after[each.name] - before[each.name],
                    units,
                    higher_is_better=each.higher_is_better,
                )
                for each in metrics
            },
        )


def fit_calibrator(
    parts: Parts, evaluator: Evaluator, model: nn.Module, val: Source, observer: Observer
) -> Calibrator | None:
    """Fit the temperature to a model's outputs on val; None where they cannot be scaled."""
    task = parts.task
    if not isinstance(task, CalibratedTask) or not parts.calibration:
        return None
    batches: list[Tensor] = []
    observer.step_started("calibration", len(val.targets), "examples")
    evaluator.statistics(model, val, observer, watch=lambda outputs, _: batches.append(outputs))
    observer.step_finished()
    outputs = torch.cat(batches)
    temperature = task.fit_temperature(outputs, val.targets.to(outputs.device))
    return Calibrator.at(parts, temperature, len(outputs))
