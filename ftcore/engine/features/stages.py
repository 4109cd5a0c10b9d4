"""The frozen stages as a function: what decides it, what it costs, and ways to call it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ftcore.engine.batches import RawSource, Source, to_device
from ftcore.engine.device import Machine, one_thread
from ftcore.engine.digests import digest
from ftcore.engine.features.cut import Cost
from ftcore.engine.features.store import FORMAT
from ftcore.engine.prefix import FastPrefix, accelerate
from ftcore.errors import ConfigError
from ftcore.interfaces import Backbone, Inputs

PROBED = 4  # examples on which stages are timed


@dataclass(frozen=True)
class FrozenStages:
    """The stages of a model, of which the lowest are frozen, on a machine.

    `how` is the way in which they are made fast, as `--prefix` names it.
    """

    model: nn.Sequential
    backbone: Backbone
    machine: Machine
    how: str

    @property
    def lanes(self) -> int:
        """How many batches to compute side by side."""
        is_shared = self.machine.device.type != "cpu" or self.how == "compiled"
        return 1 if is_shared else torch.get_num_threads()

    def weights(self, cut: int) -> str:
        """Return the hash of the parameters and buffers below a cut, as they are now."""
        return digest(self.model[:cut].state_dict())

    def about(self, cut: int, weights: str, source: RawSource) -> dict[str, Any]:
        """Return all that decides the features below a cut, whose hash is given, as JSON values."""
        prefix = self.model[:cut]
        return {
            "format": FORMAT,
            "backbone": self.backbone.name,
            "stages": [name for name, _ in prefix.named_children()],
            "modules": hashlib.sha256(repr(prefix).encode()).hexdigest(),
            "weights": weights,
            "preprocess": dict(source.preprocess.describe()),
            "prefix": self.how,
            "precision": self.machine.precision,
            "layout": str(self.machine.layout),
            "machine": self.machine.arithmetic(),
        }

    def plain(self, below: int, cut: int, inputs: Inputs) -> Tensor:
        """Return what the stages from `below` to `cut` make of a batch, called as they are."""
        prefix = self.model[below:cut].eval()
        # A few examples are too little work to share, and wait for a second thread on a busy host.
        with one_thread(when=True), torch.no_grad(), self.machine.autocast():
            output: Tensor = prefix(to_device(inputs, self.machine.device, self.machine.layout))
        return output

    def fast(self, below: int, cut: int, source: Source) -> FastPrefix:
        """Return the stages from `below` to `cut`, made fast for the inputs of `source`."""
        probe = source.load(range(min(PROBED, len(source.targets))), 0)
        with one_thread(when=self.lanes > 1):
            return accelerate(self.model[below:cut].eval(), self.machine, self.how, probe)

    def costs(self, cuts: Sequence[int], source: RawSource, examples: int) -> list[Cost]:
        """Return what each cut costs, by running a few examples of `source`.

        ConfigError where the stages below a cut return anything but one tensor.
        """
        probed = min(PROBED, len(source.targets))
        inputs = source.load(range(probed), 0)
        for cut in cuts:
            output: Any = self.plain(0, cut, inputs)  # which warms up, too
            if not isinstance(output, Tensor):
                raise ConfigError(f"the frozen stages return {type(output).__name__}, not a tensor")
        costs = []
        for cut in cuts:
            started = time.perf_counter()
            output = self.plain(0, cut, source.load(range(probed), 0))
            seconds = (time.perf_counter() - started) / probed / torch.get_num_threads()
            costs.append(Cost(cut, output[0].nbytes, seconds, examples))
        return costs
