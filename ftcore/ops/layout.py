"""What the states of all statistics ops have in common: two vectors, and names for their parts."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Self, TypeVar

import torch
from torch import Tensor

from ftcore.ops.arguments import check_output

Fields = dict[str, tuple[int, ...]]  # the shape of each field, in the order in which they lie


@dataclass(frozen=True)
class Layout(ABC):
    """Names the parts of the two state vectors: counts in int64, then sums in float64."""

    @property
    @abstractmethod
    def count_fields(self) -> Fields:
        """The shape of each int64 field, in order."""

    @property
    @abstractmethod
    def sum_fields(self) -> Fields:
        """The shape of each float64 field, in order."""

    @property
    def sizes(self) -> tuple[int, int]:
        """The lengths of the vector of counts and of the vector of sums."""
        return _size(self.count_fields), _size(self.sum_fields)

    def empty(
        self, heads: tuple[int, ...] = (), device: torch.device | str | None = None
    ) -> State[Self]:
        """Return a state of zeros, with leading dimensions `heads` for many heads at once."""
        counts, sums = self.sizes
        return State(
            self,
            torch.zeros((*heads, counts), dtype=torch.int64, device=device),
            torch.zeros((*heads, sums), dtype=torch.float64, device=device),
        )


L = TypeVar("L", bound=Layout)


@dataclass(frozen=True)
class State(Generic[L]):
    """The state itself: counts (*heads, …) in int64 and sums (*heads, …) in float64."""

    layout: L
    counts: Tensor
    sums: Tensor

    @cached_property
    def fields(self) -> dict[str, Tensor]:
        """Every field by name, (*heads, *shape): views, which follow later updates."""
        return {
            **_views(self.counts, self.layout.count_fields),
            **_views(self.sums, self.layout.sum_fields),
        }

    def to(self, device: torch.device) -> State[L]:
        """Return the same state on `device`."""
        return State(self.layout, self.counts.to(device), self.sums.to(device))


def check_state(
    layout: Layout,
    counts: Tensor,
    sums: Tensor,
    heads: tuple[int, ...],
    device: torch.device,
) -> None:
    """Raise DataError unless these are the vectors of such a layout, for these heads."""
    check_output("counts", counts, (*heads, layout.sizes[0]), torch.int64, device)
    check_output("sums", sums, (*heads, layout.sizes[1]), torch.float64, device)


def _size(fields: Fields) -> int:
    return sum(math.prod(shape) for shape in fields.values())


def _views(vector: Tensor, fields: Fields) -> dict[str, Tensor]:
    parts = torch.split(vector, [math.prod(shape) for shape in fields.values()], dim=-1)
    return {
        name: part.view(part.shape[:-1] + shape)
        for part, (name, shape) in zip(parts, fields.items(), strict=True)
    }
