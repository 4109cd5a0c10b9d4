"""The freezing strategy `surgical`: one stage trains, wherever it is."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from ftcore import Backbone, ConfigError, FreezePlan, Phase


@dataclass(frozen=True)
class Surgical:
    """Train one stage and the head.

    Lee, Chen, Tajwar, Kumar, Yao, Liang, Finn 2023, "Surgical Fine-Tuning Improves Adaptation to
    Distribution Shifts": a low stage suits inputs that look different, a high one new labels.
    """

    stage: str

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        """Return one phase; ConfigError where no stage of this name has parameters."""
        stages = {stage.name: stage.module for stage in backbone.stages}
        with_parameters = [name for name, module in stages.items() if list(module.parameters())]
        if self.stage not in with_parameters:
            raise ConfigError(
                f"surgical: {backbone.name} has no stage {self.stage!r} to train; "
                f"choose from {', '.join(with_parameters)}"
            )
        rates = {f"{self.stage}.{name}": 1.0 for name, _ in stages[self.stage].named_parameters()}
        rates |= {f"head.{name}": 1.0 for name, _ in head.named_parameters()}
        return FreezePlan((Phase(0, rates),))
