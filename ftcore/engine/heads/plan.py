"""What one head is trained on and how, and which heads can be trained as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from torch import Tensor, nn

# Parameters of the heads that share a product. Their weights, gradients and moments, 4 MiB, then
# stay in a processor's cache from step to step: 2^22 took a fifth longer with 100 classes or more.
MOST_STACKED = 2**18


@dataclass(frozen=True, eq=False)
class Fold:
    """The rows of the features that train a head, and those that choose its epoch."""

    train: Tensor  # int64 indices (T,), in the order in which a run alone would hold them
    val: Tensor  # int64 indices (V,)


@dataclass(frozen=True)
class Head:
    """One head: where it differs from the heads that are trained beside it."""

    fold: Fold
    seed: int  # of its first weights and of the order of its batches
    lr: float  # peak learning rate
    weight_decay: float


def grid(
    folds: Sequence[Fold],
    seeds: Sequence[int],
    rates: Sequence[float],
    decays: Sequence[float],
) -> list[Head]:
    """Return a head for every combination; the last argument varies fastest."""
    return [Head(*values) for values in product(folds, seeds, rates, decays)]


def groups(heads: Sequence[Head]) -> dict[tuple[Fold, int], list[int]]:
    """Return the indices of the heads that see the same batches, by fold and seed."""
    found: dict[tuple[Fold, int], list[int]] = {}
    for index, head in enumerate(heads):
        found.setdefault((head.fold, head.seed), []).append(index)
    return found


def stacks(indices: Sequence[int], head: nn.Module) -> Iterator[Sequence[int]]:
    """Yield the heads of a group in stacks of at most `MOST_STACKED` parameters, or of one."""
    size = sum(parameter.numel() for parameter in head.parameters())
    most = max(1, MOST_STACKED // max(1, size))
    for start in range(0, len(indices), most):
        yield indices[start : start + most]
