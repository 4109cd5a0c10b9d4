"""What the references of ops with columns have in common: many rows, a few of them at a time."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, split

from ftcore.ops.ordered_sum import SERIAL


def row_chunks(
    outputs: Tensor, targets: Tensor, weights: Tensor
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield outputs (r, K), targets (r, K) and weights (r,) of (*rows, K), (*rows, K) and (*rows).

    They come in order, so few at a time that float64 copies of them stay in cache.
    """
    columns = outputs.size(-1)
    limit = max(1, SERIAL // columns)
    yield from zip(
        split(outputs.detach().reshape(-1, columns), limit),
        split(targets.detach().reshape(-1, columns), limit),
        split(weights.reshape(-1), limit),
        strict=True,
    )
