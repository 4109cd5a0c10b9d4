"""Which parameters train, how and when: plans, and what makes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ftcore.interfaces.backbone import Backbone

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Phase:
    """From `first_epoch` on, the parameters in `rates` train, at that multiple of the rate."""

    first_epoch: int
    rates: Mapping[str, float]


@dataclass(frozen=True)
class Adapter:
    """A low-rank change of one weight: weight + alpha / rank * up @ down (LoRA).

    The weight is seen as a matrix: its first dimension by all others. `down` (rank, columns)
    starts random and `up` (rows, rank) at zero, so that the change starts at zero. The weight
    itself stays as it is: frozen, unless the plan says that it trains as well.

    Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models".
    """

    weight: str  # the parameter it changes, such as "layer4.0.conv1.weight"; two dimensions or more
    rank: int
    alpha: float

    @property
    def name(self) -> str:
        """The name of the module that the engine adds for it, "<weight>_adapter"."""
        return f"{self.weight}_adapter"

    @property
    def parameters(self) -> tuple[str, str]:
        """The names of the parameters it adds, for the phases: "<name>.down", "<name>.up"."""
        return f"{self.name}.down", f"{self.name}.up"


@dataclass(frozen=True)
class FreezePlan:
    """Which parameters train, at which learning-rate scale, and from which epoch on.

    Parameters are named as in `Backbone.named_parameters`, those of the head "head.<parameter>",
    and those of an adapter as in `Adapter.parameters`: the engine adds the adapters to the model.
    The first phase starts at epoch 0. What a phase does not name is frozen in it.
    `reasons` say in a few words, by stage, why it is treated so, where there is more to say than
    the strategy's name does.
    """

    phases: tuple[Phase, ...]
    adapters: tuple[Adapter, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)

    def phase_at(self, epoch: int) -> Phase:
        """Return the phase that `epoch` belongs to."""
        return [phase for phase in self.phases if phase.first_epoch <= epoch][-1]

    @property
    def trained(self) -> frozenset[str]:
        """The parameters that train in some phase; all others never move."""
        return frozenset(name for phase in self.phases for name in phase.rates)


@runtime_checkable
class FreezingStrategy(Protocol):
    """Decides which parameters train, how and when."""

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        """Return the plan for this backbone and head; ConfigError where it cannot apply."""


@dataclass(frozen=True)
class Gradients:
    """How hard the loss pulls at each parameter of a backbone, before any of them has moved.

    `norms` holds the L2 norm of the gradient: the root of its mean square over batches, so that
    the norm for several parameters is the root of the sum of their squares, as it is for
    `parameter_norms`, the L2 norms of the parameters themselves. Both are by name, bottom first.
    """

    norms: Mapping[str, float]
    parameter_norms: Mapping[str, float]
    examples: int  # of the training part, that the gradients are of


@runtime_checkable
class GradientStrategy(FreezingStrategy, Protocol):
    """A strategy that decides by gradients on a sample of the training part.

    The engine measures them once, before training, and calls `plan_from` in place of `plan`; a run
    that is resumed keeps its plan. The sample is 5 batches of the training part, as the run trains
    on them; all modules are in eval mode; and the head has been trained on 5 other batches first,
    since what comes through random weights says little. Then it is as it was.
    """

    def plan_from(
        self, backbone: Backbone, head: nn.Module, epochs: int, gradients: Gradients
    ) -> FreezePlan:
        """Return the plan that the gradients suggest; ConfigError where it cannot apply."""
