"""The work of a run in multiplications, which, unlike its time, is the same on every machine.

A weight is multiplied once at each place that its module puts out. Going back through a layer
takes twice what going forward does. Sums, activations and attention's own products are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ftcore.engine.batches import to_device
from ftcore.engine.freezing import frozen_prefix
from ftcore.engine.preparation import Prepared
from ftcore.interfaces import Phase


@dataclass(frozen=True)
class Work:
    """Multiplications of a run, and of training everything for as many epochs."""

    run: float
    scratch: float

    @property
    def ratio(self) -> float:
        """How many times the run's work training everything takes."""
        return self.scratch / max(self.run, 1.0)


def estimate(prepared: Prepared) -> Work:
    """Return the work of a prepared run, the features it keeps computed once."""
    forward = _multiplications(prepared)
    sizes = {part: len(source.targets) for part, source in prepared.feeder.raw.items()}
    cuts, plan = prepared.feeder.cuts, prepared.freezer.plan
    epochs = range(prepared.parts.config.epochs)
    run = sum(forward[cuts.throughout :]) * sizes["test"]
    for cut in cuts.counts:
        base = cuts.throughout if cut > cuts.throughout else 0
        views = max(1, prepared.feeder.raw["train"].views)
        examples = sizes["train"] * views + sizes["val"]
        examples += sizes["test"] if cut == cuts.throughout else 0
        run += sum(forward[base:cut]) * examples
    for epoch in epochs:
        phase = plan.phase_at(epoch)
        cut = cuts.phases[plan.phases.index(phase)]
        run += _epoch(forward, cut, _lowest(prepared, phase), sizes)
    scratch = len(epochs) * _epoch(forward, 0, 0, sizes) + sum(forward) * sizes["test"]
    return Work(run, scratch)


def _epoch(forward: Sequence[float], cut: int, lowest: int, sizes: dict[str, int]) -> float:
    """Going forward from the cut, and back to the lowest stage that trains."""
    ahead, back = sum(forward[cut:]), 2 * sum(forward[lowest:])
    return (ahead + back) * sizes["train"] + ahead * sizes["val"]


def _lowest(prepared: Prepared, phase: Phase) -> int:
    return frozen_prefix(phase.rates.keys(), prepared.model)


def _multiplications(prepared: Prepared) -> list[float]:
    """Return those of each stage, and of the head, for one example."""
    model, machine = prepared.model, prepared.machine
    counts: list[float] = []

    def count(module: nn.Module, _: Any, output: Any) -> None:
        matrices = [p for p in module.parameters(recurse=False) if p.dim() > 1]
        made = output[0] if isinstance(output, tuple) else output
        if matrices and isinstance(made, Tensor):
            channels = made.shape[1] if made.dim() == 4 else made.shape[-1]
            places = made[0].numel() / max(channels, 1)
            counts[-1] += places * sum(matrix.numel() for matrix in matrices)

    hooks = [module.register_forward_hook(count) for module in model.modules()]
    try:
        inputs = prepared.feeder.raw["val"].load([0], 0)
        values = to_device(inputs, machine.device, machine.layout)
        with torch.no_grad(), machine.autocast():
            for stage in model:
                counts.append(0.0)
                values = stage.eval()(values)
    finally:
        for hook in hooks:
            hook.remove()
    return counts
