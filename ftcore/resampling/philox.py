"""Random draws and swaps as a pure function of (seed, replicate, place), in NumPy.

Philox 4x32-10 of Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3", makes four
words of 32 bits of a counter and a key. The key is the seed, its low half first. The counter is
(block, replicate, attempt, purpose). `csrc/resample/philox.h` and `draws.h` have the same.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Words: TypeAlias = NDArray[np.uint64]  # that hold 32 bits each, but for products
Places: TypeAlias = NDArray[np.int64]

_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_STEPS = 0x9E3779B9, 0xBB67AE85
_ROUNDS = 10
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)

_DRAWING, _SWAPPING = 0, 1


def philox4x32(counter: tuple[Words, Words, Words, Words], seed: int) -> tuple[Words, ...]:
    """Return the four words of counters whose words are arrays of one shape, (*)."""
    a, b, c, d = (np.array(word) for word in counter)
    first, second = np.empty_like(a), np.empty_like(a)
    left, right = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(_ROUNDS):  # in place: arrays that do not fit into a cache take twice as long
        np.multiply(a, _MULTIPLIERS[0], out=first)
        np.multiply(c, _MULTIPLIERS[1], out=second)
        np.right_shift(second, _HALF, out=a)
        a ^= b
        a ^= np.uint64(left)
        np.bitwise_and(second, _LOW, out=b)
        np.right_shift(first, _HALF, out=c)
        c ^= d
        c ^= np.uint64(right)
        np.bitwise_and(first, _LOW, out=d)
        left, right = (left + _STEPS[0]) & 0xFFFFFFFF, (right + _STEPS[1]) & 0xFFFFFFFF
    return a, b, c, d


def drawn_units(units: int, replicates: Places, seed: int) -> Places:
    """Return the unit that each draw takes, (R, units), of the replicates numbered (R,).

    A word times the number of units has the unit in its high half. Where the low half is below
    2^32 mod units, the word of the next attempt is taken instead, so that each unit is exactly as
    likely as any other (Lemire 2019, "Fast random integer generation in an interval").
    """
    blocks = np.arange(-(-units // 4), dtype=np.uint64)
    shape = (len(replicates), len(blocks))
    words = philox4x32(_counter(blocks, replicates[:, None], 0, _DRAWING, shape), seed)
    in_order = np.empty((*shape, 4), dtype=np.uint64)
    for place, word in enumerate(words):
        np.multiply(word, np.uint64(units), out=in_order[..., place])
    products = in_order.reshape(len(replicates), -1)[:, :units]
    is_rejected = (products & _LOW) < np.uint64(2**32 % units)
    _redraw_(products, np.flatnonzero(is_rejected), replicates, seed)
    return (products >> _HALF).view(np.int64)


def _redraw_(products: Words, rejected: Places, replicates: Places, seed: int) -> None:
    """Replace products (R, units) at flat places, which few are, by those of later attempts."""
    units = products.shape[1]
    attempt = 0
    while rejected.size:
        attempt += 1
        row, place = np.divmod(rejected, units)
        blocks = (place // 4).astype(np.uint64)
        counter = _counter(blocks, replicates[row], attempt, _DRAWING, place.shape)
        words = np.stack(philox4x32(counter, seed))
        again = words[place % 4, np.arange(len(place))] * np.uint64(units)
        products[row, place] = again
        rejected = rejected[(again & _LOW) < np.uint64(2**32 % units)]


def swapped_units(units: int, replicates: Places, seed: int) -> NDArray[np.bool_]:
    """Return which units each of the replicates numbered (R,) swaps, (R, units)."""
    blocks = np.arange(-(-units // 128), dtype=np.uint64)
    shape = (len(replicates), len(blocks))
    words = philox4x32(_counter(blocks, replicates[:, None], 0, _SWAPPING, shape), seed)
    in_order = np.stack(words, axis=-1).reshape(len(replicates), -1).astype("<u4")
    bits = np.unpackbits(in_order.view(np.uint8), axis=1, bitorder="little")
    return bits[:, :units].astype(np.bool_)


def _counter(
    blocks: Words, replicates: Places, attempt: int, purpose: int, shape: tuple[int, ...]
) -> tuple[Words, Words, Words, Words]:
    words = (blocks, replicates.astype(np.uint64), np.uint64(attempt), np.uint64(purpose))
    first, second, third, fourth = (np.broadcast_to(word, shape) for word in words)
    return first, second, third, fourth
