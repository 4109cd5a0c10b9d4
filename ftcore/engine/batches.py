"""Where inputs come from: raw examples that are preprocessed, or features kept in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ftcore.engine.randomness import ORDER, example_seeds, shuffled
from ftcore.interfaces import Inputs, Preprocess, Split


class Source(Protocol):
    """The inputs and targets of one part, by index."""

    @property
    def targets(self) -> Tensor:
        """The targets (N, ...)."""

    @property
    def ids(self) -> Sequence[str]:
        """The examples' ids."""

    def load(self, indices: Sequence[int], epoch: int) -> Inputs:
        """Return the model's inputs for the examples at `indices`."""


@dataclass(frozen=True)
class RawSource:
    """Reads raw examples and preprocesses them, anew in each epoch."""

    split: Split
    preprocess: Preprocess
    seed: int

    @property
    def targets(self) -> Tensor:
        """The targets of the split."""
        return self.split.targets

    @property
    def ids(self) -> Sequence[str]:
        """The ids of the split."""
        return self.split.ids

    def load(self, indices: Sequence[int], epoch: int) -> Inputs:
        """Return a preprocessed batch; augmentation depends on (seed, epoch, example) alone."""
        is_random = self.preprocess.is_random
        seeds = example_seeds(self.seed, epoch, indices) if is_random else ()
        return self.preprocess(self.split.inputs(indices), seeds)


@dataclass(frozen=True)
class CachedSource:
    """Hands out what a frozen prefix made of the examples, computed once."""

    features: Tensor  # (N, ...)
    targets: Tensor
    ids: Sequence[str]

    def load(self, indices: Sequence[int], epoch: int) -> Inputs:
        """Return the features of the examples; they are the same in every epoch."""
        return self.features[torch.as_tensor(indices)]


@dataclass(frozen=True)
class Batch:
    """One batch on its way into the model."""

    indices: Sequence[int]
    inputs: Inputs
    targets: Tensor


def training_order(count: int, size: int, seed: int, epoch: int) -> list[list[int]]:
    """Return the epoch's batches of indices, shuffled; no batch is a single example.

    BatchNorm cannot normalise one example, so a last one alone joins the batch before it.
    """
    order = shuffled(count, ORDER, seed, epoch).tolist()
    batches = [order[start : start + size] for start in range(0, count, size)]
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [batches[-2] + batches[-1]]
    return batches


def sequential_order(count: int, size: int) -> list[list[int]]:
    """Return batches of indices in order, each example once."""
    return [list(range(start, min(start + size, count))) for start in range(0, count, size)]


def load_batches(
    source: Source, order: Sequence[Sequence[int]], *, epoch: int = 0, workers: int = 0
) -> Iterator[Batch]:
    """Yield the batches of `order`; `workers` processes load ahead without changing a byte."""
    loader: DataLoader[Inputs] = DataLoader(
        _Loads(source, order, epoch),
        batch_size=None,
        num_workers=workers if isinstance(source, RawSource) else 0,
        persistent_workers=False,
    )
    for indices, inputs in zip(order, loader, strict=True):
        yield Batch(indices, inputs, source.targets[torch.as_tensor(indices)])


@dataclass(frozen=True)
class _Loads(Dataset[Inputs]):
    source: Source
    order: Sequence[Sequence[int]]
    epoch: int

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int) -> Inputs:
        return self.source.load(self.order[index], self.epoch)


def to_device(inputs: Inputs, device: torch.device, layout: torch.memory_format) -> Inputs:
    """Move a tensor, or a tuple or dict of tensors, to the device."""
    if isinstance(inputs, Tensor):
        if inputs.ndim == 4:
            return inputs.to(device, non_blocking=True, memory_format=layout)
        return inputs.to(device, non_blocking=True)
    if isinstance(inputs, dict):
        return {key: to_device(value, device, layout) for key, value in inputs.items()}
    return type(inputs)(to_device(value, device, layout) for value in inputs)
