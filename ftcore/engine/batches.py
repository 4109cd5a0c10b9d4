"""Where inputs come from: raw examples that are preprocessed, or features kept in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ftcore.engine.features.segment import Rows
from ftcore.engine.randomness import ORDER, example_seeds, shuffled
from ftcore.interfaces import Inputs, Preprocess, Split

Item = TypeVar("Item")


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
    """Reads raw examples and preprocesses them, anew in each epoch.

    With `views`, augmentation knows so many epochs alone, which come again and again.
    """

    split: Split
    preprocess: Preprocess
    seed: int
    views: int = 0

    @property
    def targets(self) -> Tensor:
        """The targets of the split."""
        return self.split.targets

    @property
    def ids(self) -> Sequence[str]:
        """The ids of the split."""
        return self.split.ids

    @cached_property
    def digests(self) -> Sequence[str]:
        """A hash of the content of each example, made once."""
        return self.split.digests(range(len(self.split)))

    def load(self, indices: Sequence[int], epoch: int) -> Inputs:
        """Return a preprocessed batch; augmentation depends on (seed, epoch, example) alone."""
        return self.preprocess(self.split.inputs(indices), self._seeds(indices, epoch))

    def names(self, view: int) -> list[str]:
        """Return for each example a name that tells what `load` makes of it in epoch `view`.

        Equal names, 64 hexadecimal digits each, mean equal inputs under the same preprocessing.
        """
        seeds = self._seeds(range(len(self.targets)), view)
        texts = self.digests if not seeds else map("{} {}".format, self.digests, seeds)
        return [hashlib.sha256(text.encode()).hexdigest() for text in texts]

    def _seeds(self, indices: Sequence[int], epoch: int) -> Sequence[int]:
        if not self.preprocess.is_random:
            return ()
        return example_seeds(self.seed, epoch % self.views if self.views else epoch, indices)


@dataclass(frozen=True)
class CachedSource:
    """Hands out what a frozen prefix made of the examples, computed once."""

    features: Rows
    rows: Tensor  # int64 (views, N): where the features of each example are
    targets: Tensor
    ids: Sequence[str]

    def load(self, indices: Sequence[int], epoch: int) -> Inputs:
        """Return the features of the examples; every epoch, or every so many, has the same."""
        return self.features.take(self.rows[epoch % len(self.rows)][torch.as_tensor(indices)])

    def first_view(self) -> Tensor:
        """Return the features of all examples in order, (N, ...); of several views the first."""
        return self.features.take(self.rows[0])


def cached(source: Source) -> CachedSource:
    """Return the source of a part that is known to be features, since all below was frozen."""
    assert isinstance(source, CachedSource)
    return source


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
    if not isinstance(source, RawSource):
        workers = 0  # features are in memory, or mapped
    loaded = load_ahead(partial(source.load, epoch=epoch), order, workers)
    for indices, inputs in zip(order, loaded, strict=True):
        yield Batch(indices, inputs, source.targets[torch.as_tensor(indices)])


def load_ahead(
    load: Callable[[Item], Inputs], items: Sequence[Item], workers: int
) -> Iterator[Inputs]:
    """Yield `load` of each item, in order; `workers` processes do it ahead of time."""
    if workers:
        return iter(DataLoader(_Loads(load, items), batch_size=None, num_workers=workers))
    return map(load, items)


@dataclass(frozen=True)
class _Loads(Dataset[Inputs], Generic[Item]):
    load: Callable[[Item], Inputs]
    items: Sequence[Item]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Inputs:
        return self.load(self.items[index])


def to_device(inputs: Inputs, device: torch.device, layout: torch.memory_format) -> Inputs:
    """Move a tensor, or a tuple or dict of tensors, to the device."""
    if isinstance(inputs, Tensor):
        if inputs.ndim == 4:
            return inputs.to(device, non_blocking=True, memory_format=layout)
        return inputs.to(device, non_blocking=True)
    if isinstance(inputs, dict):
        return {key: to_device(value, device, layout) for key, value in inputs.items()}
    return type(inputs)(to_device(value, device, layout) for value in inputs)
