"""The cut: how much of the network is a fixed function, and its outputs, computed once.

Stages that are frozen in every phase are in eval mode and hashed, so the same input gives the
same output in every epoch. Their outputs are kept in memory where that is allowed and fits.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ftcore.config import RunConfig
from ftcore.engine.batches import CachedSource, RawSource, load_batches, sequential_order, to_device
from ftcore.engine.device import Machine, free_memory
from ftcore.engine.freezing import frozen_prefix
from ftcore.engine.observer import Observer
from ftcore.errors import ConfigError, StoppedError
from ftcore.interfaces import FreezePlan

PREFIX_BATCH = 64
MEMORY_FRACTION = 0.25  # of the memory that is free


@dataclass(frozen=True)
class Cut:
    """The stages below the cut are computed once; `stages` is 0 where nothing is kept."""

    stages: int
    bytes_per_example: int
    reason: str


def choose_cut(
    model: nn.Sequential, plan: FreezePlan, train: RawSource, examples: int, config: RunConfig
) -> Cut:
    """Return where to cut, and why; ConfigError where a cache is demanded that cannot be had."""
    cut = _possible_cut(model, plan, train, examples, config)
    if config.cache == "memory" and cut.stages == 0:
        raise ConfigError(f"--cache memory is not possible: {cut.reason}")
    return cut


def _possible_cut(
    model: nn.Sequential, plan: FreezePlan, train: RawSource, examples: int, config: RunConfig
) -> Cut:
    stages = frozen_prefix(plan, model)
    if config.cache == "off":
        return Cut(0, 0, "switched off")
    if stages == 0:
        return Cut(0, 0, "no stage is frozen throughout")
    if train.preprocess.is_random:
        return Cut(0, 0, "augmentation is random, so the frozen stages see new inputs every epoch")
    output = _probe(model[:stages], train)
    if not isinstance(output, Tensor):
        return Cut(0, 0, f"the frozen stages return {type(output).__name__}, not one tensor")
    size = output[0].numel() * output.element_size()
    free = free_memory()
    if config.cache == "auto" and size * examples > MEMORY_FRACTION * free:
        need, have = size * examples / 2**30, MEMORY_FRACTION * free / 2**30
        return Cut(0, size, f"needs {need:.1f} GiB, more than the {have:.1f} GiB allowed")
    return Cut(stages, size, "frozen throughout")


def _probe(prefix: nn.Sequential, source: RawSource) -> object:
    parameter = next(prefix.parameters(), torch.empty(0))
    prefix.eval()
    with torch.no_grad():
        inputs = to_device(source.load([0], 0), parameter.device, torch.contiguous_format)
        return prefix(inputs)


def compute_features(
    prefix: nn.Sequential, source: RawSource, machine: Machine, workers: int, observer: Observer
) -> CachedSource:
    """Run every example through the frozen stages once, in order, each exactly once."""
    prefix.eval()
    features: Tensor | None = None
    order = sequential_order(len(source.targets), PREFIX_BATCH)
    with torch.no_grad():
        for batch in load_batches(source, order, workers=workers):
            with machine.autocast():
                output = prefix(to_device(batch.inputs, machine.device, machine.layout))
            if features is None:
                features = torch.empty(len(source.targets), *output.shape[1:], dtype=output.dtype)
            features[batch.indices[0] : batch.indices[-1] + 1] = output.cpu()
            observer.advanced(len(batch.indices))
            if observer.should_stop():
                raise StoppedError("Stopped while the frozen features were computed")
    assert features is not None  # a part is never empty
    return CachedSource(features, source.targets, source.ids)
