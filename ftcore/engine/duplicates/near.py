"""Near copies: pairs that are alike at a second look, and much more alike than others are.

In some datasets all examples look alike, as garments on a black ground do. So a likeness alone
says little: a pair must also stand out from its neighbours, by the ratio of its distance to that
of the tenth nearest. That is the test of Lowe 2004, "Distinctive Image Features from Scale-
Invariant Keypoints", 7.1, with the tenth for the second, since a copy may not come alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ftcore.engine.device import one_thread
from ftcore.engine.duplicates.neighbours import nearest
from ftcore.interfaces import Likeness

NEIGHBOURS = 10
LOOKED_AT = 5  # of them, a second time
HOPE = 3  # times the ratio, where the tenth neighbour was only glanced at
ROUNDING = 1e-5  # distances below say nothing
MOST_LOOKS = 30_000  # pairs in all, the most promising first


@dataclass(frozen=True)
class Pair:
    """Two places whose examples are near copies."""

    one: int
    other: int
    likeness: float


@dataclass(frozen=True)
class Search:
    """Where near copies are looked for: among sketches (N, ...) of a kind of likeness.

    `hints` (P, 2) are pairs of places that may be copies, though they need not look so at a glance.
    """

    likeness: Likeness
    sketches: Tensor
    hints: Tensor | None = None

    def among(self, places: list[int], most: int = MOST_LOOKS) -> list[Pair]:
        """Return the pairs among the places, which hold no content twice."""
        return self._find(places, places, most)

    def between(self, places: list[int], others: list[int], most: int = MOST_LOOKS) -> list[Pair]:
        """Return the pairs of one of the places and one of the others, which have none of them."""
        return self._find(places, others, most)

    @cached_property
    def vectors(self) -> Tensor:
        """What is compared at a glance, (V, N, D)."""
        return torch.nan_to_num(self.likeness.glance(self.sketches), 0.0, 0.0, 0.0)

    @cached_property
    def is_blank(self) -> Tensor:
        """Which examples (N,) show too little to be compared."""
        return (self.vectors[0] == 0).all(dim=1)

    def _find(self, queries: list[int], others: list[int], most: int) -> list[Pair]:
        at, among = self._comparable(queries), self._comparable(others)
        is_among_itself = queries is others
        if len(at) == 0 or len(among) < 1 + is_among_itself:
            return []
        own = torch.arange(len(at)) if is_among_itself else None
        found = nearest(self.vectors[0, at], self.vectors[:, among], NEIGHBOURS, own)
        around = Around(at, among[found.places], 1 - found.products)
        pairs = around.most_promising(most)
        if self.hints is not None:
            pairs = torch.cat([pairs, self.hints])
        return self._look_again(_once(pairs), around)

    def _comparable(self, places: list[int]) -> Tensor:
        at = torch.tensor(places, dtype=torch.int64)
        return at[~self.is_blank[at]]

    def _look_again(self, pairs: Tensor, around: Around) -> list[Pair]:
        likeness = self._compare(pairs)
        is_alike = likeness >= self.likeness.threshold
        is_certain = likeness >= self.likeness.certain
        is_hopeful = 1 - likeness < HOPE * self.likeness.ratio * around.usual(
            len(self.sketches), pairs
        )
        chosen = (is_certain | (is_alike & is_hopeful)).nonzero().flatten()
        pairs, likeness = pairs[chosen], likeness[chosen]
        usual = self._usual(pairs, around)
        stands_out = (1 - likeness < self.likeness.ratio * usual) & (usual > ROUNDING)
        return [
            Pair(int(pairs[row, 0]), int(pairs[row, 1]), round(float(likeness[row]), 4))
            for row in (stands_out | is_certain[chosen]).nonzero().flatten().tolist()
        ]

    def _usual(self, pairs: Tensor, around: Around) -> Tensor:
        """Return the distance (P,) of the tenth neighbour of either of a pair, at a second look."""
        rows = torch.isin(around.at, pairs).nonzero().flatten()
        count = around.places.shape[1]
        at = around.at[rows, None].expand(-1, count)
        looked = torch.stack([at, around.places[rows]], dim=2).flatten(0, 1)
        farthest = self._compare(looked).view(-1, count).min(dim=1).values
        again = Around(around.at[rows], around.places[rows], (1 - farthest)[:, None])
        return again.usual(len(self.sketches), pairs)

    def _compare(self, pairs: Tensor) -> Tensor:
        one, other = pairs.unbind(1)
        with one_thread(when=True):  # many small products, as of a lone head
            return self.likeness.compare(self.sketches[one], self.sketches[other])


@dataclass(frozen=True)
class Around:
    """The places (Q,) that copies are looked for of, and what is near each at a glance (Q, K)."""

    at: Tensor
    places: Tensor
    distances: Tensor

    def usual(self, total: int, pairs: Tensor) -> Tensor:
        """Return the distance (P,) of the tenth neighbour of either of a pair, the smaller one.

        With too few others to tell what is usual, it is that of what is unrelated.
        """
        usual = torch.full((total,), torch.inf)
        is_known = self.places.shape[1] == NEIGHBOURS
        usual[self.at] = self.distances[:, -1] if is_known else torch.ones(len(self.at))
        return torch.minimum(usual[pairs[:, 0]], usual[pairs[:, 1]])

    def most_promising(self, most: int) -> Tensor:
        """Return up to `most` pairs (P, 2), those first that stand out most at a glance."""
        places, distances = self.places[:, :LOOKED_AT], self.distances[:, :LOOKED_AT]
        promise = distances / self.distances[:, -1:].clamp_min(ROUNDING)
        pairs = torch.stack([self.at[:, None].expand_as(places), places], dim=2).flatten(0, 1)
        return pairs[promise.flatten().argsort(stable=True)[:most]]


def _once(pairs: Tensor) -> Tensor:
    unique: Tensor = torch.unique(pairs.sort(dim=1).values, dim=0)
    return unique
