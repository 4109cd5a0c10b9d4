"""Which features are wanted, which of them are missing, and the batches that make those up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ftcore.engine.batches import Source
from ftcore.engine.features.segment import Rows, Segment

Place: TypeAlias = tuple[str, int, int]  # part, view, index


@dataclass(frozen=True)
class Want:
    """A part's examples, in some views: what comes in, and what their features are called."""

    source: Source  # of what the prefix takes
    names: Sequence[Sequence[str]]  # (views, N)


def missing_of(wants: Mapping[str, Want], found: Sequence[Segment]) -> dict[str, Place]:
    """Return the place of what no segment holds, each name once."""
    held = set().union(*(each.names for each in found))
    missing: dict[str, Place] = {}
    for part, want in wants.items():
        for view, names in enumerate(want.names):
            for index, name in enumerate(names):
                if name not in held:
                    missing.setdefault(name, (part, view, index))
    return missing


def line_up(found: Sequence[Segment]) -> tuple[Rows, dict[str, int]]:
    """Return the rows of all segments in a line, and where each name is."""
    names = (name for segment in found for name in segment.names)
    index = {name: row for row, name in enumerate(names)}
    return Rows([segment.features for segment in found]), index


@dataclass(frozen=True)
class Job:
    """A batch to be computed; an example alone is in it twice."""

    part: str
    view: int
    indices: Sequence[int]
    names: Sequence[str]


def jobs_of(missing: Mapping[str, Place], size: int) -> Iterator[Job]:
    """Yield batches of up to `size` examples, each of one part and view."""
    groups: dict[tuple[str, int], list[str]] = {}
    for name, (part, view, _) in missing.items():
        groups.setdefault((part, view), []).append(name)
    for (part, view), group in groups.items():
        for names in _batched(group, size):
            # Libraries compute an example alone to other last digits than among others.
            indices = [missing[name][2] for name in names] * (2 if len(names) == 1 else 1)
            yield Job(part, view, indices, names)


def _batched(names: Sequence[str], size: int) -> list[list[str]]:
    batches = [list(names[start : start + size]) for start in range(0, len(names), size)]
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [batches[-2] + batches[-1]]
    return batches
