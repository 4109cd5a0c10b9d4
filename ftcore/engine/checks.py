"""What is looked at before training: every target, every id, every input can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

import torch
from torch import Tensor

from ftcore.engine.observer import Observer
from ftcore.errors import DataError
from ftcore.interfaces import DataBundle, Raw, Split, Task

MOST_READ = 50_000  # examples of a part that a run reads beforehand, to find broken ones
CHUNK = 64
WINDOW = 32  # chunks
SHOWN = 10

# Takes in the raw examples of a part at some indices.
Reader: TypeAlias = Callable[[str, Sequence[int], Sequence[Raw]], None]


def check_data(
    bundle: DataBundle,
    task: Task,
    observer: Observer,
    most: int | None = MOST_READ,
    note: Reader | None = None,
) -> None:
    """Raise DataError, naming what is wrong and where, unless the data can be trained on."""
    check_targets(bundle, task)
    check_inputs(bundle, observer, most, note)


def check_targets(bundle: DataBundle, task: Task) -> None:
    """Raise DataError unless every id and every target is as it should be."""
    for part, split in bundle.splits.items():
        _check_ids(part, split)
    task.check(bundle)


def check_inputs(
    bundle: DataBundle,
    observer: Observer,
    most: int | None = MOST_READ,
    note: Reader | None = None,
) -> None:
    """Raise DataError, naming the examples, unless their inputs can be read and are finite.

    Of a part with more than `most` examples only so many are read, evenly spread, since reading
    all may take hours. `note` is handed what was read, in several threads.
    """
    chosen = {part: _spread(len(split), most) for part, split in bundle.splits.items()}
    total = sum(len(split) for split in bundle.splits.values())
    reading = sum(map(len, chosen.values()))
    if reading < total:
        observer.note(f"read {reading:,} of {total:,} examples; ftcore data check reads them all")
    observer.step_started("reading the data", reading, "examples")
    problems = [
        problem
        for part, split in bundle.splits.items()
        for problem in _unreadable(part, split, chosen[part], observer, note)
    ]
    observer.step_finished()
    if problems:
        shown = "; ".join(problems[:SHOWN])
        more = f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        raise DataError(
            f"{len(problems)} of {reading} examples of {bundle.name!r} cannot be used: "
            f"{shown}{more}"
        )


def _spread(count: int, most: int | None) -> Sequence[int]:
    if most is None or count <= most:
        return range(count)
    return [index * count // most for index in range(most)]


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


def _unreadable(
    part: str, split: Split, chosen: Sequence[int], observer: Observer, note: Reader | None
) -> Iterator[str]:
    chunks = [chosen[start : start + CHUNK] for start in range(0, len(chosen), CHUNK)]

    def examine(indices: Sequence[int]) -> list[str]:
        try:
            raw = split.inputs(indices)
            if _are_finite(raw):
                if note is not None:
                    note(part, indices, raw)
                return []
        except DataError:
            pass
        return [problem for index in indices if (problem := _problem(part, split, index))]

    # Decoding releases the interpreter lock, so threads help; a window bounds what is in memory.
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(chunks), WINDOW):
            window = chunks[start : start + WINDOW]
            for indices, found in zip(window, pool.map(examine, window), strict=True):
                yield from found
                observer.advanced(len(indices))


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
