"""What is looked at before training: every target, every id, every input can be read."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import torch
from torch import Tensor

from ftcore.engine.observer import Observer
from ftcore.errors import DataError
from ftcore.interfaces import DataBundle, Split, Task

CHUNK = 64
SHOWN = 10


def check_data(bundle: DataBundle, task: Task, observer: Observer) -> None:
    """Raise DataError, naming what is wrong and where, unless the data can be trained on."""
    for part, split in bundle.splits.items():
        _check_ids(part, split)
    task.check(bundle)
    total = sum(len(split) for split in bundle.splits.values())
    observer.step_started("reading the data", total, "examples")
    problems = [
        problem
        for part, split in bundle.splits.items()
        for problem in _unreadable(part, split, observer)
    ]
    observer.step_finished()
    if problems:
        shown = "; ".join(problems[:SHOWN])
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise DataError(
            f"{len(problems)} of {total} examples of {bundle.name!r} cannot be used: {shown}{more}"
        )


def _check_ids(part: str, split: Split) -> None:
    ids = list(split.ids)
    if len(ids) != len(split) or len(split.targets) != len(split):
        raise DataError(
            f"the {part} part has {len(split)} examples, {len(ids)} ids and "
            f"{len(split.targets)} targets; these must be equal"
        )
    if len(set(ids)) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise DataError(f"id {twice!r} occurs twice in the {part} part; ids must be unique")


def _unreadable(part: str, split: Split, observer: Observer) -> Iterator[str]:
    starts = range(0, len(split), CHUNK)

    def examine(start: int) -> list[str]:
        indices = range(start, min(start + CHUNK, len(split)))
        try:
            if _are_finite(split.inputs(indices)):
                return []
        except DataError:
            pass
        return [problem for index in indices if (problem := _problem(part, split, index))]

    # Decoding releases the interpreter lock, so threads help; a window bounds what is in memory.
    with ThreadPoolExecutor() as pool:
        remaining = iter(starts)
        while window := list(islice(remaining, 32)):
            for start, found in zip(window, pool.map(examine, window), strict=True):
                yield from found
                observer.advanced(min(CHUNK, len(split) - start))


def _problem(part: str, split: Split, index: int) -> str:
    try:
        if _are_finite(split.inputs([index])):
            return ""
    except DataError as error:
        return str(error)
    return f"{part} example {split.ids[index]!r} holds values that are not finite"


def _are_finite(raw: object) -> bool:
    if isinstance(raw, Tensor):
        return not raw.is_floating_point() or bool(torch.isfinite(raw).all())
    if isinstance(raw, (list, tuple)):
        return all(_are_finite(each) for each in raw)
    return True
