"""Random draws and swaps as a pure function of (seed, replicate, place), in NumPy.

Philox 4x32-10 of Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", makes four
words of 32 bits of a counter and a key. The key is the seed, its low half first. The counter is
(block, replicate, attempt, purpose). `csrc/resample/philox.h` and `draws.h` have the same.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.uint64]  # that hold 32 bits each

_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_STEPS = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)

_DRAWING, _SWAPPING = 0, 1


def philox4x32(counter: tuple[Words, Words, Words, Words], seed: int) -> tuple[Words, ...]:
    """Return the four words of counters whose words are arrays of one shape, (*)."""
    a, b, c, d = counter
    keys = [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(_ROUNDS):
        first, second = a * _MULTIPLIERS[0], c * _MULTIPLIERS[1]
        a, b = (second >> _HALF) ^ b ^ np.uint64(keys[0]), second & _LOW
        c, d = (first >> _HALF) ^ d ^ np.uint64(keys[1]), first & _LOW
        keys = [(key + step) & 0xFFFFFFFF for key, step in zip(keys, _STEPS, strict=True)]
    return a, b, c, d


def drawn_units(units: int, replicates: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Return the unit that each draw takes, (R, units), of the replicates numbered (R,).

    A word times the number of units has the unit in its high half. Where the low half is below
    2^32 mod units, the word of the next attempt is taken instead, so that each unit is exactly as
    likely as any other (Lemire 2019, "Fast random integer generation in an interval").
    """
    blocks = np.arange(-(-units // 4), dtype=np.uint64)
    shape = (len(replicates), len(blocks))
    words = philox4x32(_counter(blocks, replicates[:, None], 0, _DRAWING, shape), seed)
    products = np.stack(words, axis=-1).reshape(len(replicates), -1)[:, :units] * np.uint64(units)
    threshold = np.uint64(2**32 % units)
    attempt = 0
    redrawn = np.nonzero((products & _LOW) < threshold)
    while redrawn[0].size:
        attempt += 1
        row, place = redrawn
        blocks, rows = (place // 4).astype(np.uint64), replicates[row]
        words = philox4x32(_counter(blocks, rows, attempt, _DRAWING, place.shape), seed)
        again = np.stack(words)[place % 4, np.arange(len(place))] * np.uint64(units)
        products[redrawn] = again
        is_rejected = (again & _LOW) < threshold
        redrawn = row[is_rejected], place[is_rejected]
    return (products >> _HALF).astype(np.int64)


def swapped_units(units: int, replicates: NDArray[np.int64], seed: int) -> NDArray[np.bool_]:
    """Return which units each of the replicates numbered (R,) swaps, (R, units)."""
    blocks = np.arange(-(-units // 128), dtype=np.uint64)
    shape = (len(replicates), len(blocks))
    words = philox4x32(_counter(blocks, replicates[:, None], 0, _SWAPPING, shape), seed)
    in_order = np.stack(words, axis=-1).reshape(len(replicates), -1).astype("<u4")
    bits = np.unpackbits(in_order.view(np.uint8), axis=1, bitorder="little")
    return bits[:, :units].astype(np.bool_)


def _counter(
    blocks: Words, replicates: NDArray[np.int64], attempt: int, purpose: int, shape: tuple[int, ...]
) -> tuple[Words, Words, Words, Words]:
    words = (blocks, replicates.astype(np.uint64), np.uint64(attempt), np.uint64(purpose))
    first, second, third, fourth = (np.broadcast_to(word, shape) for word in words)
    return first, second, third, fourth
