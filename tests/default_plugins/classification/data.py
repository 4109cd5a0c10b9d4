"""Small datasets and batches that the tests of classification share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ftcore import DataBundle


@dataclass(frozen=True)
class Targets:
    """A split of which only the targets matter."""

    targets: Tensor

    @property
    def ids(self) -> Sequence[str]:
        return [f"image{index}.png" for index in range(len(self.targets))]

    def __len__(self) -> int:
        return len(self.targets)

    def inputs(self, indices: Sequence[int]) -> Sequence[None]:
        return [None for _ in indices]

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        return [self.ids[index] for index in indices]


def bundle(
    train: Sequence[int] | Tensor, classes: Sequence[str] | int = 3, **others: Sequence[int]
) -> DataBundle:
    names = [f"c{index}" for index in range(classes)] if isinstance(classes, int) else classes
    splits = {"train": train, **others}
    return DataBundle(
        "toys",
        "classification",
        {name: Targets(torch.as_tensor(targets)) for name, targets in splits.items()},
        classes=tuple(names),
    )


def batch(rows: int, classes: int, seed: int = 0, spread: float = 2.0) -> tuple[Tensor, Tensor]:
    """Return logits (rows, classes) that lean towards the targets (rows,)."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.randint(classes, (rows,), generator=generator)
    logits = spread * torch.randn(rows, classes, generator=generator, dtype=torch.float64)
    logits[torch.arange(rows), targets] += 1.5
    return logits, targets
