"""Near copies: pairs that are alike at a second look, and much more alike than others are.

In some datasets all examples look alike, as garments on a black ground do. So a likeness alone
says little: a pair must also stand out from its neighbours, by the ratio of its distance to that
of the tenth nearest. That is the test of Lowe 2004, "Distinctive Image Features from Scale-
Invariant Keypoints", 7.1, with the tenth for the second, since a copy may not come alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ftcore.engine.duplicates.neighbours import nearest
from ftcore.interfaces import Likeness

NEIGHBOURS = 10
LOOKED_AT = 5  # of them, a second time
RATIO = 0.15  # of a pair's distance to that of the tenth neighbour, at most
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

    def _find(self, queries: list[int], others: list[int], most: int) -> list[Pair]:
        if not queries or len(set(queries) | set(others)) < 2:
            return []
        at, among = torch.tensor(queries), torch.tensor(others)
        own = torch.arange(len(queries)) if queries is others else None
        vectors = torch.nan_to_num(self.likeness.glance(self.sketches), 0.0, 0.0, 0.0)
        found = nearest(vectors[0, at], vectors[:, among], NEIGHBOURS, own)
        around = Around(at, among[found.places], 1 - found.products)
        pairs = around.most_promising(most)
        if self.hints is not None:
            pairs = torch.cat([pairs, self.hints])
        return self._look_again(_once(pairs), around)

    def _look_again(self, pairs: Tensor, around: Around) -> list[Pair]:
        likeness = self._compare(pairs)
        is_near = likeness >= self.likeness.threshold
        pairs, likeness = pairs[is_near], likeness[is_near]
        usual = self._usual(pairs, around)
        stands_out = ((1 - likeness) < RATIO * usual) & (usual > ROUNDING)
        is_copy = stands_out | (likeness >= self.likeness.certain)
        return [
            Pair(int(pairs[row, 0]), int(pairs[row, 1]), round(float(likeness[row]), 4))
            for row in is_copy.nonzero().flatten().tolist()
        ]

    def _usual(self, pairs: Tensor, around: Around) -> Tensor:
        """Return the distance (P,) of the tenth neighbour of either of a pair, the smaller one.

        With too few others to tell what is usual, it is that of what is unrelated.
        """
        usual = torch.full((len(self.sketches),), torch.inf)
        rows = torch.isin(around.at, pairs).nonzero().flatten()
        usual[around.at[rows]] = 1.0
        if around.places.shape[1] == NEIGHBOURS and len(rows):
            at = around.at[rows, None].expand(-1, NEIGHBOURS)
            looked = torch.stack([at, around.places[rows]], dim=2).flatten(0, 1)
            likeness = self._compare(looked).view(-1, NEIGHBOURS)
            usual[around.at[rows]] = 1 - likeness.min(dim=1).values
        return torch.minimum(usual[pairs[:, 0]], usual[pairs[:, 1]])

    def _compare(self, pairs: Tensor) -> Tensor:
        one, other = pairs.unbind(1)
        return self.likeness.compare(self.sketches[one], self.sketches[other])


@dataclass(frozen=True)
class Around:
    """The places (Q,) that copies are looked for of, and what is near each at a glance (Q, K)."""

    at: Tensor
    places: Tensor
    distances: Tensor

    def most_promising(self, most: int) -> Tensor:
        """Return up to `most` pairs (P, 2), those first that stand out most at a glance."""
        places, distances = self.places[:, :LOOKED_AT], self.distances[:, :LOOKED_AT]
        promise = distances / self.distances[:, -1:].clamp_min(ROUNDING)
        pairs = torch.stack([self.at[:, None].expand_as(places), places], dim=2).flatten(0, 1)
        return pairs[promise.flatten().argsort(stable=True)[:most]]


def _once(pairs: Tensor) -> Tensor:
    unique: Tensor = torch.unique(pairs.sort(dim=1).values, dim=0)
    return unique
