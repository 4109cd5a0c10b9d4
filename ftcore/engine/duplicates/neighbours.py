"""The nearest neighbours of vectors among others, block by block: memory grows with N, not N²."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

ROWS, COLUMNS = 1024, 8192  # of a block of products, 32 MiB


@dataclass(frozen=True)
class Neighbours:
    """What is nearest to each of Q vectors, the nearest first."""

    products: Tensor  # float32 (Q, K)
    places: Tensor  # int64 (Q, K), among the others


def nearest(queries: Tensor, others: Tensor, count: int, own: Tensor | None = None) -> Neighbours:
    """Return the `count` others (V, N, D), or all N, with the largest products with each query.

    Each of the others is the best of its V versions. `own` (Q,) is where a query (Q, D) itself is
    among the others, which does not count; there must be another one then.
    """
    versions, total, _ = others.shape
    count = min(count, total - (own is not None))
    products, places = [], []
    for start in range(0, len(queries), ROWS):
        block = queries[start : start + ROWS]
        best = Neighbours(torch.empty(len(block), 0), torch.empty(len(block), 0, dtype=torch.int64))
        for left in range(0, total, COLUMNS):
            part = others[:, left : left + COLUMNS]
            found = block @ part[0].T
            for version in range(1, versions):
                torch.maximum(found, block @ part[version].T, out=found)
            if own is not None:
                _leave_out(found, own[start : start + ROWS] - left)
            best = _merge(best, found, left, count)
        products.append(best.products)
        places.append(best.places)
    if not products:
        return Neighbours(torch.empty(0, count), torch.empty(0, count, dtype=torch.int64))
    return Neighbours(torch.cat(products), torch.cat(places))


def _leave_out(found: Tensor, columns: Tensor) -> None:
    inside = ((columns >= 0) & (columns < found.shape[1])).nonzero().flatten()
    found[inside, columns[inside]] = -torch.inf


def _merge(best: Neighbours, found: Tensor, left: int, count: int) -> Neighbours:
    here = found.topk(min(count, found.shape[1]), dim=1)
    products = torch.cat([best.products, here.values], dim=1)
    places = torch.cat([best.places, here.indices + left], dim=1)
    # A stable sort, so that equal products come in the order of the others.
    products, order = products.sort(dim=1, descending=True, stable=True)
    return Neighbours(products[:, :count], places.gather(1, order)[:, :count])
