"""Near copies by the features of a frozen backbone: for data that has no likeness of its own.

Features are made to be alike for all that is of one class, so they tell copies from other examples
less well than a comparison of the examples themselves does; docs/results.md says how well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool1d, normalize

from ftcore.engine.batches import CachedSource, Source
from ftcore.engine.duplicates.near import LOOKED_AT
from ftcore.engine.duplicates.neighbours import nearest
from ftcore.interfaces import Raw

WIDEST = 2048  # numbers of an example; of maps, neighbouring ones are averaged
_BATCH = 1024


@dataclass(frozen=True)
class FeatureLikeness:
    """The cosine of features, which are what it takes for raw examples."""

    threshold: float = 0.9
    certain: float = math.inf  # features of two different examples may be the same
    ratio: float = 0.2

    def sketch(self, raw: Sequence[Raw]) -> Tensor:
        """Return features (N, ...) as float32 (N, D), which are narrow."""
        return _narrow(torch.as_tensor(raw))

    def glance(self, sketches: Tensor) -> Tensor:
        """Return them at length 1, (1, N, D); zeros for those that are not finite."""
        finite = torch.isfinite(sketches).all(dim=1, keepdim=True)
        return normalize(torch.where(finite, sketches, 0.0), dim=1)[None]

    def compare(self, sketches: Tensor, others: Tensor) -> Tensor:
        """Return the cosines of pairs, (N,)."""
        return (self.glance(sketches)[0] * self.glance(others)[0]).sum(dim=1)

    def describe(self) -> Mapping[str, Any]:
        """Return what decides the narrow features."""
        return {"kind": "features", "widest": WIDEST}


def gather_features(sources: Sequence[Source]) -> Tensor | None:
    """Return the features (N, D) of all sources in a line; None where they were not kept as are."""
    narrow = []
    for source in sources:
        if not isinstance(source, CachedSource) or len(source.rows) > 1:  # views are augmented
            return None
        rows = source.rows[0]
        starts = range(0, len(rows), _BATCH)
        narrow += [_narrow(source.features.take(rows[at : at + _BATCH])) for at in starts]
    return torch.cat(narrow)


def hint_at(features: Tensor, places: Sequence[int]) -> Tensor:
    """Return the pairs of places (P, 2) that are each other's nearest by their features."""
    at = torch.tensor(places)
    vectors = FeatureLikeness().glance(features[at])
    found = nearest(vectors[0], vectors, LOOKED_AT, torch.arange(len(at)))
    pairs = torch.stack([at[:, None].expand_as(found.places), at[found.places]], dim=2)
    return pairs.flatten(0, 1)


def _narrow(features: Tensor) -> Tensor:
    flat = features.float().flatten(1)
    return adaptive_avg_pool1d(flat, WIDEST) if flat.shape[1] > WIDEST else flat
