"""Splits made of others: some of their examples, several joined, other class indices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ftcore.errors import DataError
from ftcore.interfaces import DataBundle, Raw, Split


@dataclass(frozen=True)
class Subset:
    """Some examples of a split, in the order of `indices`."""

    split: Split
    indices: Sequence[int]

    @cached_property
    def ids(self) -> Sequence[str]:
        """The ids of the examples."""
        ids = self.split.ids
        return [ids[index] for index in self.indices]

    @property
    def targets(self) -> Tensor:
        """The targets of the examples."""
        return self.split.targets[torch.as_tensor(self.indices)]

    def __len__(self) -> int:
        return len(self.indices)

    def inputs(self, indices: Sequence[int]) -> Sequence[Raw]:
        """Return raw examples of the underlying split."""
        return self.split.inputs([self.indices[index] for index in indices])

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        """Return the digests of the examples."""
        return self.split.digests([self.indices[index] for index in indices])


@dataclass(frozen=True)
class Joined:
    """The examples of several splits, one after the other; an id that is taken gets a prefix."""

    splits: Mapping[str, Split]

    @cached_property
    def ids(self) -> Sequence[str]:
        """The ids of all examples."""
        ids = [name for split in self.splits.values() for name in split.ids]
        if len(set(ids)) == len(ids):
            return ids
        return [f"{part}/{name}" for part, split in self.splits.items() for name in split.ids]

    @cached_property
    def targets(self) -> Tensor:
        """The targets of all examples."""
        return torch.cat([split.targets for split in self.splits.values()])

    def __len__(self) -> int:
        return sum(map(len, self.splits.values()))

    def inputs(self, indices: Sequence[int]) -> Sequence[Raw]:
        """Return raw examples of the underlying splits."""
        return self._gather(indices, lambda split, own: split.inputs(own))

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        """Return the digests of the examples."""
        return self._gather(indices, lambda split, own: split.digests(own))

    def _gather(
        self, indices: Sequence[int], read: Callable[[Split, list[int]], Sequence[Any]]
    ) -> Sequence[Any]:
        found: dict[int, Any] = {}
        start = 0
        for split in self.splits.values():
            own = [index for index in indices if start <= index < start + len(split)]
            if own:
                found |= zip(own, read(split, [index - start for index in own]), strict=True)
            start += len(split)
        return [found[index] for index in indices]


def take_test(bundle: DataBundle) -> DataBundle:
    """Return a bundle whose test part is what to evaluate: test, else val, else train."""
    part = next((name for name in ("test", "val", "train") if name in bundle.splits), None)
    if part is None:
        raise DataError(f"dataset {bundle.name!r} has no part to evaluate: {sorted(bundle.splits)}")
    notes = bundle.notes
    if part != "test":
        notes = (*notes, f"the dataset has no test part; its {part} part was evaluated")
    splits = {"test": bundle.splits[part]}
    if "train" in bundle.splits and part != "train":
        splits["train"] = bundle.splits["train"]
    return replace(bundle, splits=splits, notes=notes)


@dataclass(frozen=True)
class Relabelled:
    """A split whose class indices are those of a model: index i means `mapping[i]` there."""

    split: Split
    mapping: Tensor

    @property
    def ids(self) -> Sequence[str]:
        """The ids of the underlying split."""
        return self.split.ids

    @property
    def targets(self) -> Tensor:
        """The model's class indices."""
        return self.mapping[self.split.targets]

    def __len__(self) -> int:
        return len(self.split)

    def inputs(self, indices: Sequence[int]) -> Sequence[Raw]:
        """Return raw examples of the underlying split."""
        return self.split.inputs(indices)

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        """Return the digests of the underlying split."""
        return self.split.digests(indices)


def align_classes(bundle: DataBundle, classes: Sequence[str]) -> DataBundle:
    """Return the bundle with a model's class indices, matched by name, never by position.

    DataError names the classes that the model does not know.
    """
    if tuple(bundle.classes) == tuple(classes):
        return bundle
    unknown = [name for name in bundle.classes if name not in classes]
    if unknown:
        raise DataError(
            f"dataset {bundle.name!r} has classes that the model does not know: "
            f"{', '.join(map(repr, unknown[:5]))}; it knows {', '.join(map(repr, classes[:10]))}"
            + (", …" if len(classes) > 10 else "")
        )
    mapping = torch.tensor([list(classes).index(name) for name in bundle.classes])
    splits = {name: Relabelled(split, mapping) for name, split in bundle.splits.items()}
    return replace(bundle, splits=splits, classes=tuple(classes))
