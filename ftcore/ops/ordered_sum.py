"""Sums whose last bit does not depend on the number of threads."""

from __future__ import annotations

import torch
from torch import Tensor

SERIAL = 2**15  # elements up to which torch reduces on one thread: at::internal::GRAIN_SIZE
_BLOCK = 256


def ordered_sum(values: Tensor) -> Tensor:
    """Return the sum over the last dimension, (*, K) to (*), in blocks of fixed size, in order.

    torch.sum splits a long reduction to a single number among the threads it has; a block is too
    short for that, so the result is the same bytes for any number of them.
    """
    while values.size(-1) > _BLOCK:
        count = values.size(-1) // _BLOCK
        whole, rest = values[..., : count * _BLOCK], values[..., count * _BLOCK :]
        blocks = whole.reshape(*values.shape[:-1], count, _BLOCK).sum(-1)
        values = torch.cat([blocks, rest.sum(-1, keepdim=True)], dim=-1)
    return values.sum(-1)
