"""Datasets of few examples, some of which are there twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ftcore.interfaces import DataBundle
from tests.tiny import Rows, make_bundle


def with_copies(
    *copies: tuple[str, int, str, int], noise: float = 0.0, relabel: bool = False
) -> DataBundle:
    """Return the tiny bundle in which each (part, index) is a copy of the (part, index) after it.

    `noise` is added to the copy, which then is a near one; `relabel` gives it another class.
    """
    bundle = make_bundle()
    splits = {name: _own(split.inputs(range(len(split))), split.targets, split.ids)
              for name, split in bundle.splits.items()}  # fmt: skip
    for seed, (part, index, other, place) in enumerate(copies):
        value, target = splits[other].values[place], splits[other].targets[place]
        generator = torch.Generator().manual_seed(seed)
        splits[part].values[index] = value + noise * torch.randn(value.shape, generator=generator)
        splits[part].targets[index] = (target + relabel) % 3
    return replace(bundle, splits=splits)


def _own(values: Sequence[Tensor], targets: Tensor, ids: Sequence[str]) -> Rows:
    return Rows(torch.stack(list(values)), targets.clone(), ids)
