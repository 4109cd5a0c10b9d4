"""The freeze plan of a run: made once, and kept where it depended on what was measured."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import nn

from ftcore.engine.batches import RawSource
from ftcore.engine.device import Machine
from ftcore.engine.directory import RunDirectory
from ftcore.engine.gradients import measure_gradients
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.interfaces import Backbone, FreezePlan, GradientStrategy


@dataclass(frozen=True)
class Settled:
    """A strategy whose plan was made before."""

    made: FreezePlan

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        """Return the plan that was made."""
        return self.made


def is_measured(parts: RunParts) -> bool:
    """Tell whether the plan depends on what is measured on the training part."""
    return isinstance(parts.strategy, GradientStrategy)


def make_plan(
    parts: RunParts, model: nn.Sequential, source: RawSource, machine: Machine, observer: Observer
) -> FreezePlan:
    """Return the strategy's plan for a model, whose head is last; `source` is the training part."""
    strategy, head, epochs = parts.strategy, model[-1], parts.config.epochs
    if not isinstance(strategy, GradientStrategy):
        return strategy.plan(parts.backbone, head, epochs)
    gradients = measure_gradients(parts, model, source, machine, observer)
    return strategy.plan_from(parts.backbone, head, epochs, gradients)


def keep_plan(parts: RunParts, plan: FreezePlan, directory: RunDirectory) -> None:
    """Write a plan that was measured into the run's folder, for when it is resumed."""
    if is_measured(parts):
        directory.write_plan(plan)


def as_planned(parts: RunParts, directory: RunDirectory) -> RunParts:
    """Return parts that keep the plan in a run's folder, where there is one.

    To measure again might come to another plan: on another number of threads, say.
    """
    plan = directory.plan()
    return parts if plan is None else replace(parts, strategy=Settled(plan))
