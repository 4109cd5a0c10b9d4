"""LoRA: the pretrained weights stay, and a change of low rank is trained beside each."""

from __future__ import annotations

import fnmatch
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ftcore import Adapter, Backbone, ConfigError, FreezePlan, Stage
from ftcore.default_plugins.freezing.strategies import (
    check_positive,
    checked_count,
    single_phase,
    stages_with_parameters,
)

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Lora:
    """Train low-rank changes of linear and convolution weights, and the head (LoRA).

    R is their rank and ALPHA / R their scale (1 by default), TOP how many stages from the top
    have them (all by default), MATCH a shell pattern for the names of the weights.

    Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models". A weight is left alone
    where an adapter would have more than half as many parameters: nothing about it is low, then.
    So depthwise convolutions are, except at small ranks: theirs is a matrix of few columns.
    """

    r: int = 8
    alpha: float | None = None
    top: int | None = None
    match: str = "*"

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        """Return one phase in which the adapters train; ConfigError where no weight takes one."""
        alpha = float(self.r if self.alpha is None else self.alpha)
        check_positive("lora", "r", self.r)
        check_positive("lora", "alpha", alpha)
        stages = stages_with_parameters(backbone)
        top = len(stages) if self.top is None else checked_count("lora:top=", self.top, stages)
        weights = {
            name: weight
            for stage in stages[len(stages) - top :]
            for name, weight in _weights(stage)
            if fnmatch.fnmatchcase(name, self.match)
        }
        adapters = tuple(
            Adapter(name, self.r, alpha)
            for name, weight in weights.items()
            if 2 * self.r * (len(weight) + weight[0].numel()) <= weight.numel()
        )
        if not adapters:
            raise ConfigError(
                f"lora: of the {len(weights)} linear and convolution weights of {backbone.name} "
                f"that match {self.match!r}, none is large enough for rank {self.r}; "
                "a smaller r, another match or a higher top may help"
            )
        names = [name for adapter in adapters for name in adapter.parameters]
        return FreezePlan(single_phase(dict.fromkeys(names, 1.0), head).phases, adapters)


def _weights(stage: Stage) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield the matrices and kernels of a stage, with their names; none that modules share."""
    from torch import nn

    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.MultiheadAttention)
    modules = list(stage.module.named_modules())
    uses = Counter(id(p) for _, module in modules for p in module.parameters(recurse=False))
    for path, module in modules:
        if not isinstance(module, kinds):
            continue
        for key, weight in module.named_parameters(recurse=False):
            if key.endswith("weight") and uses[id(weight)] == 1:
                yield f"{stage.name}.{path}.{key}".replace("..", "."), weight
