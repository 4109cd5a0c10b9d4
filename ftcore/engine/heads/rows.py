"""Features gathered in the order in which an epoch sees them, some steps at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from torch import Tensor

CHUNK_BYTES = 2**22  # of features that are gathered at a time, or one batch if that is more


@dataclass(frozen=True)
class Examples:
    """What heads are trained on: features (N, ...) of any floating type, and targets (N, ...)."""

    features: Tensor
    targets: Tensor


@dataclass(frozen=True)
class Chunk:
    """The rows of some consecutive steps; they are valid until the next chunk is asked for."""

    features: Tensor  # (rows, ...), float32
    targets: Tensor  # (rows, ...)
    sizes: list[int]  # rows of each step


class RowReader:
    """Reads rows of cached features into one buffer: fresh memory costs more than the copy."""

    def __init__(self, data: Examples) -> None:
        self._features, self._targets = data.features, data.targets.to(data.features.device)
        self._buffer = torch.empty(0)

    def chunks(self, rows: Tensor, order: Sequence[Sequence[int]]) -> Iterator[Chunk]:
        """Yield the steps of `order`, whose indices are positions in `rows`."""
        size = max(map(len, order)) * self._features[0].numel() * 4
        most = max(1, CHUNK_BYTES // max(1, size))
        for start in range(0, len(order), most):
            steps = order[start : start + most]
            positions = np.fromiter(chain.from_iterable(steps), np.int64)
            indices = rows[torch.from_numpy(positions)].to(self._features.device)
            targets = self._targets.index_select(0, indices)
            yield Chunk(self._gather(indices), targets, [len(step) for step in steps])

    def _gather(self, indices: Tensor) -> Tensor:
        features = self._features
        if len(self._buffer) < len(indices):
            shape = (len(indices), *features.shape[1:])
            self._buffer = torch.empty(shape, dtype=torch.float32, device=features.device)
        buffer = self._buffer[: len(indices)]
        if features.dtype != torch.float32:
            return buffer.copy_(features.index_select(0, indices))
        return torch.index_select(features, 0, indices, out=buffer)
