"""Which stages train, by how much the training part asks of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ftcore import Backbone, ConfigError, FreezePlan, Gradients
from ftcore.default_plugins.freezing.strategies import (
    checked_count,
    single_phase,
    stages_with_parameters,
)

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Auto:
    """Train each stage at a rate in proportion to its relative gradient norm (Auto-RGN).

    The norm of a stage's gradient over that of its parameters, RGN = ||g|| / ||θ||, over the
    largest of all stages is the scale of its learning rate. Stages below THRESHOLD are frozen.
    With STAGES, so many stages of the largest RGN train, at the full rate, and no other.

    Lee, Chen, Tajwar, Kumar, Yao, Liang, Finn 2023, "Surgical Fine-Tuning Improves Adaptation to
    Distribution Shifts". They take a ratio for each tensor, leave BatchNorm out, measure anew in
    each epoch and freeze nothing. Here all parameters of a stage have one ratio, so that a bias
    near zero, whose ratio says nothing, cannot be the largest; it is measured once, before
    training; and what would hardly move is frozen, which makes it a fixed function.
    """

    threshold: float = 0.1
    stages: int | None = None

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        """Refuse: without gradients there is nothing to decide by."""
        raise ConfigError("auto: it plans by gradients of the training part, and there are none")

    def plan_from(
        self, backbone: Backbone, head: nn.Module, epochs: int, gradients: Gradients
    ) -> FreezePlan:
        """Return one phase, in which the stages train that the gradients ask for."""
        if not 0 <= self.threshold <= 1:
            raise ConfigError(f"auto: threshold is {self.threshold}; it is a share, from 0 to 1")
        ratios = _ratios(backbone, gradients)
        shares = _shares(ratios)
        scales = self._scales(backbone, shares)
        rates = {
            name: scales[name.partition(".")[0]]
            for name in backbone.named_parameters()
            if scales[name.partition(".")[0]] > 0
        }
        reasons = {
            stage: f"relative gradient norm {ratios[stage]:.3g}, {share:.0%} of the largest"
            + ("" if scales[stage] else f": frozen, {self._rule}")
            for stage, share in shares.items()
        }
        return FreezePlan(single_phase(rates, head).phases, reasons=reasons)

    @property
    def _rule(self) -> str:
        if self.stages is None:
            return f"below {self.threshold:.0%}"
        return (
            "the largest alone trains" if self.stages == 1 else f"the {self.stages} largest train"
        )

    def _scales(self, backbone: Backbone, shares: Mapping[str, float]) -> dict[str, float]:
        """Return the learning-rate scale of each stage, 0 for one that is frozen."""
        if self.stages is None:
            return {
                stage: share if share >= self.threshold else 0.0 for stage, share in shares.items()
            }
        count = checked_count("auto:stages=", self.stages, stages_with_parameters(backbone))
        chosen = sorted(shares, key=lambda stage: -shares[stage])[:count]
        return {stage: float(stage in chosen and shares[stage] > 0) for stage in shares}


def _ratios(backbone: Backbone, gradients: Gradients) -> dict[str, float]:
    """Return the relative gradient norm of each stage; infinite where all parameters are 0."""
    ratios = {}
    for stage in stages_with_parameters(backbone):
        names = [f"{stage.name}.{name}" for name, _ in stage.module.named_parameters()]
        pull = math.hypot(*(gradients.norms[name] for name in names))
        size = math.hypot(*(gradients.parameter_norms[name] for name in names))
        ratios[stage.name] = pull / size if size else (math.inf if pull else 0.0)
    return ratios


def _shares(ratios: Mapping[str, float]) -> dict[str, float]:
    """Return each ratio over the largest finite one; 1 for an infinite one, 0 where all are 0."""
    largest = max((ratio for ratio in ratios.values() if ratio < math.inf), default=0.0)
    return {
        stage: min(1.0, ratio / largest) if largest else float(ratio > 0)
        for stage, ratio in ratios.items()
    }
