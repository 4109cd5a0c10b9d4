"""Strategies that choose among the parameters the backbone has."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ftcore import Backbone, ConfigError, FreezePlan, Phase, Stage

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class NoFreezing:
    """Train everything (full fine-tuning)."""

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        """Return one phase in which every parameter trains."""
        rates = dict.fromkeys(backbone.named_parameters(), 1.0)
        return single_phase(rates, head)


@dataclass(frozen=True)
class Bottom:
    """Freeze the lowest STAGES stages (a count or a stage's name), or the whole backbone."""

    stages: int | str | None = None

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        """Return one phase in which what lies above the frozen stages trains."""
        with_parameters = stages_with_parameters(backbone)
        frozen = len(with_parameters) if self.stages is None else self._count(with_parameters)
        return single_phase(_rates(with_parameters[frozen:]), head)

    def _count(self, stages: list[Stage]) -> int:
        if isinstance(self.stages, int):
            return checked_count("bottom:", self.stages, stages)
        names = [stage.name for stage in stages]
        if self.stages not in names:
            known = ", ".join(names)
            raise ConfigError(f"bottom:{self.stages} names no stage; stages, bottom first: {known}")
        return names.index(self.stages) + 1


@dataclass(frozen=True)
class Top:
    """Train only the top STAGES stages and the head."""

    stages: int

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        """Return one phase in which the top stages train."""
        with_parameters = stages_with_parameters(backbone)
        count = checked_count("top:", self.stages, with_parameters)
        return single_phase(_rates(with_parameters[len(with_parameters) - count :]), head)


@dataclass(frozen=True)
class Norm:
    """Train normalisation layers, biases and the head (BitFit, BatchNorm-only training).

    Ben Zaken, Goldberg, Ravfogel 2022, "BitFit"; Frankle, Schwab, Morcos 2021, "Training
    BatchNorm and only BatchNorm". A normalisation layer is a module whose class name holds "Norm".
    """

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        """Return one phase in which the norm parameters and the biases train."""
        rates = {
            f"{stage.name}.{path}.{name}".replace("..", "."): 1.0
            for stage in backbone.stages
            for path, module in stage.module.named_modules()
            for name, _ in module.named_parameters(recurse=False)
            if name == "bias" or name.endswith("_bias") or "Norm" in type(module).__name__
        }
        if not rates:
            raise ConfigError(f"norm: {backbone.name} has neither normalisation layers nor biases")
        return single_phase(rates, head)


@dataclass(frozen=True)
class Discriminative:
    """Train everything, each stage at DECAY times the rate of the stage above it.

    Howard and Ruder 2018, "Universal Language Model Fine-tuning", section 3.2.
    """

    decay: float = 0.8

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        """Return one phase whose rates fall from the head down."""
        check_positive("discriminative", "decay", self.decay)
        return single_phase(_rates(stages_with_parameters(backbone), self.decay), head)


@dataclass(frozen=True)
class Gradual:
    """Train the head, then one more stage from the top every EVERY epochs.

    Howard and Ruder 2018, "Universal Language Model Fine-tuning", section 3.3, with the
    discriminative rates of its section 3.2: each stage at DECAY times the rate of the one above.
    """

    every: int = 1
    decay: float = 1 / 2.6

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        """Return one phase for each stage that joins within the epochs."""
        check_positive("gradual", "every", self.every)
        check_positive("gradual", "decay", self.decay)
        rates = _rates(stages_with_parameters(backbone), self.decay)
        stages = stages_with_parameters(backbone)
        phases = []
        for unfrozen in range(len(stages) + 1):
            names = {
                f"{stage.name}.{name}"
                for stage in stages[len(stages) - unfrozen :]
                for name, _ in stage.module.named_parameters()
            }
            now = {name: rate for name, rate in rates.items() if name in names}
            phases.append(Phase(unfrozen * self.every, now | _head_rates(head)))
        return FreezePlan(tuple(phase for phase in phases if phase.first_epoch < epochs))


@dataclass(frozen=True)
class ProbeThenFineTune:
    """Train the head for PROBE_EPOCHS (half of all by default), then everything at RATE.

    Kumar, Raghunathan, Jones, Ma, Liang 2022, "Fine-Tuning can Distort Pretrained Features and
    Underperform Out-of-Distribution" (LP-FT).
    """

    probe_epochs: int | None = None
    rate: float = 0.1

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        """Return two phases: the head alone, then all parameters."""
        check_positive("lp-ft", "rate", self.rate)
        probe_epochs = epochs // 2 if self.probe_epochs is None else self.probe_epochs
        if not 0 < probe_epochs < epochs:
            raise ConfigError(
                f"lp-ft: probe_epochs is {probe_epochs} of {epochs} epochs; "
                "leave at least one epoch for probing and one for fine-tuning"
            )
        names = backbone.named_parameters()
        everything = dict.fromkeys(names, self.rate) | _head_rates(head, self.rate)
        return FreezePlan((Phase(0, _head_rates(head)), Phase(probe_epochs, everything)))


@dataclass(frozen=True)
class Match:
    """Train the parameters whose names match a shell pattern, and the head.

    Several patterns are separated by commas, as in match:layer4.*,*.bn?.weight.
    """

    pattern: str

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        """Return one phase in which the matching parameters train."""
        names = list(backbone.named_parameters())
        rates: dict[str, float] = {}
        for pattern in self.pattern.split(","):
            matching = fnmatch.filter(names, pattern)
            if not matching:
                some = ", ".join(names[:1] + names[-2:])
                raise ConfigError(
                    f"match: no parameter matches {pattern!r}; names look like {some}"
                )
            rates |= dict.fromkeys(matching, 1.0)
        return single_phase(rates, head)


def stages_with_parameters(backbone: Backbone) -> list[Stage]:
    """Return the stages that count, bottom first."""
    return [stage for stage in backbone.stages if any(True for _ in stage.module.parameters())]


def _rates(stages: list[Stage], decay: float = 1.0) -> dict[str, float]:
    """Rates that fall by `decay` a stage, from the one below the head down."""
    return {
        f"{stage.name}.{name}": decay ** (len(stages) - index)
        for index, stage in enumerate(stages)
        for name, _ in stage.module.named_parameters()
    }


def _head_rates(head: nn.Module, rate: float = 1.0) -> dict[str, float]:
    return {f"head.{name}": rate for name, _ in head.named_parameters()}


def single_phase(rates: Mapping[str, float], head: nn.Module) -> FreezePlan:
    """Return a plan in which those parameters and the head train from the first epoch on."""
    return FreezePlan((Phase(0, dict(rates) | _head_rates(head)),))


def checked_count(option: str, count: int, stages: list[Stage]) -> int:
    """Return `count`; ConfigError unless there are that many stages, and at least one."""
    if not 1 <= count <= len(stages):
        names = ", ".join(stage.name for stage in stages)
        raise ConfigError(f"{option}{count} must be 1 to {len(stages)}, for the stages {names}")
    return count


def check_positive(strategy: str, option: str, value: float) -> None:
    """Raise ConfigError unless `value` is above 0 and finite."""
    if not 0 < value < float("inf"):
        raise ConfigError(f"{strategy}: {option} is {value}; it must be above 0")
