"""The freezing contract: what a phase does not name is in eval mode, gets no gradient, never moves.

`Freezer` holds a model to a plan; `moved` proves afterwards that it did.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from torch import Tensor, nn

from ftcore.engine.model import modules_with_mode
from ftcore.errors import FtcoreError, PluginError
from ftcore.interfaces import FreezePlan, Phase


def check_plan(plan: FreezePlan, model: nn.Module, epochs: int) -> None:
    """Raise PluginError unless the plan fits the model."""
    names = {name for name, _ in model.named_parameters()}
    starts = [phase.first_epoch for phase in plan.phases]
    if not starts or starts[0] != 0 or starts != sorted(set(starts)) or starts[-1] >= epochs:
        raise PluginError(
            f"the freeze plan's phases start at the epochs {starts} of {epochs}; "
            "they must start at 0 and rise"
        )
    for phase in plan.phases:
        unknown = sorted(phase.rates.keys() - names)
        if unknown:
            raise PluginError(f"the freeze plan names parameters the model lacks: {unknown[:3]}")
        if not phase.rates:
            raise PluginError(f"nothing trains in the phase from epoch {phase.first_epoch} on")
        wrong = {name: rate for name, rate in phase.rates.items() if not 0 < rate < float("inf")}
        if wrong:
            raise PluginError(f"learning-rate scales must be above 0: {wrong}")


class Freezer:
    """Holds a model to a freeze plan."""

    def __init__(self, model: nn.Sequential, plan: FreezePlan) -> None:
        self.model = model
        self.plan = plan

    def enter(self, phase: Phase) -> None:
        """Make exactly the parameters of `phase` trainable; set modules to train or eval."""
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(name in phase.rates)
            if name not in phase.rates:
                parameter.grad = None
        for _, module, trains in modules_with_mode(self.model, phase.rates):
            module.training = trains

    def frozen_state(self, phase: Phase | None = None) -> dict[str, Tensor]:
        """Return the parameters and buffers that must not move: in `phase`, or in all phases."""
        phases = self.plan.phases if phase is None else (phase,)
        moving = set().union(*(self._moving(each) for each in phases))
        return {
            name: tensor
            for name, tensor in self.model.state_dict(keep_vars=True).items()
            if name not in moving
        }

    def moving_state(self) -> dict[str, Tensor]:
        """Return the parameters and buffers that may move in some phase, not copied."""
        frozen = self.frozen_state().keys()
        state = self.model.state_dict()
        return {name: tensor for name, tensor in state.items() if name not in frozen}

    def _moving(self, phase: Phase) -> set[str]:
        moving = set(phase.rates)
        for name, module, trains in modules_with_mode(self.model, phase.rates):
            if trains:
                moving |= {f"{name}.{key}" for key, _ in module.named_buffers(recurse=False)}
        return moving


def frozen_prefix(trained: Collection[str], model: nn.Sequential) -> int:
    """Return how many of the lowest stages hold none of the parameters that train."""
    for index, (name, _) in enumerate(model.named_children()):
        if name == "head" or any(key.startswith(f"{name}.") for key in trained):
            return index
    return len(model)


def check_unmoved(before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Raise FtcoreError naming the tensors whose digest changed though they were frozen."""
    changed = [name for name, digest in before.items() if after.get(name) != digest]
    if changed:
        raise FtcoreError(
            f"{len(changed)} frozen tensors moved during training, among them {changed[:3]}; "
            "the backbone changes its own state outside of the optimizer, so its features are not "
            "those of the frozen model. Please report this to the backbone's authors."
        )


def size_in_bytes(tensors: Mapping[str, Tensor]) -> int:
    """Return the memory of the tensors in bytes."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors.values())
