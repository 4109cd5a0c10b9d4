"""The depths at which a backbone can be frozen, and those of them that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ftcore.errors import UsageError
from ftcore.interfaces import Backbone


@dataclass(frozen=True)
class Depth:
    """So many stages are frozen, from the bottom; those without parameters do not count."""

    frozen: int
    stage: str  # the topmost frozen one, empty for none
    below: int  # all stages of the backbone up to that one
    freeze: str  # the strategy that freezes so deep, as a spec


def depths_of(backbone: Backbone) -> tuple[Depth, ...]:
    """Return every depth at which a backbone can be frozen, from nothing to everything."""
    places = [
        index
        for index, stage in enumerate(backbone.stages)
        if any(True for _ in stage.module.parameters())
    ]
    found = [Depth(0, "", 0, "none")]
    for count, place in enumerate(places, start=1):
        is_all = count == len(places)
        freeze = "bottom" if is_all else f"bottom:{count}"
        found.append(Depth(count, backbone.stages[place].name, place + 1, freeze))
    return tuple(found)


def choose_depths(depths: Sequence[Depth], asked: str) -> tuple[Depth, ...]:
    """Return the depths that are asked for, as in "0,2,4,all", or all; the shallowest first.

    A stage's name stands for all up to that stage. UsageError for what is no depth of these.
    """
    if not asked.strip():
        return tuple(depths)
    words = [word.strip() for word in asked.split(",")]
    chosen = [_find(depths, word) for word in words]
    if len(set(chosen)) < 2:
        raise UsageError(f"--depths {asked} is one depth; a curve takes two or more, as in 0,all")
    return tuple(depth for depth in depths if depth in chosen)


def _find(depths: Sequence[Depth], word: str) -> Depth:
    for depth in depths:
        names = {str(depth.frozen), depth.stage} - {""}
        if word in names or (word == "all" and depth is depths[-1]):
            return depth
    stages = ", ".join(depth.stage for depth in depths[1:])
    raise UsageError(
        f"--depths: {word!r} is no number of stages from 0 to {len(depths) - 1}, nor all, nor one "
        f"of the stages {stages}"
    )
