"""Batches side by side: each is computed by one thread, instead of all threads on one batch.

Layers of a network are too small to share well: threads wait for each other at the end of each, and
for a busy processor longer than they compute. Decoding and preprocessing run side by side as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

from ftcore.engine.device import threads

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(
    function: Callable[[Item], Result], items: Iterable[Item], lanes: int
) -> Iterator[Result]:
    """Yield `function` of each item, in order, computed in so many lanes.

    Not many more than that are under way at a time. The first error ends all.
    """
    if lanes == 1:
        yield from map(function, items)
        return
    waiting: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(lanes, initializer=torch.set_num_threads, initargs=(1,))
    # torch.set_num_threads reaches further than the thread that calls it, so it is undone here.
    with threads(torch.get_num_threads()), pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > 2 * lanes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
