"""Freezing strategies: which parameters train, how fast, from which epoch on, and how adapted.

The head always trains. Stages are counted from the bottom and from the top among those that
have parameters, so that a pooling stage does not count.
"""

from __future__ import annotations

from collections.abc import Callable

from ftcore import FreezingStrategy, hookimpl
from ftcore.default_plugins.freezing.lora import Lora
from ftcore.default_plugins.freezing.relative import Auto
from ftcore.default_plugins.freezing.strategies import (
    Bottom,
    Discriminative,
    Gradual,
    Match,
    NoFreezing,
    Norm,
    ProbeThenFineTune,
    Top,
)


@hookimpl
def register_freezing(
    register: Callable[[str, Callable[..., FreezingStrategy]], None],
) -> None:
    """Register the strategies that ship in the box."""
    register("none", NoFreezing)
    register("bottom", Bottom)
    register("top", Top)
    register("norm", Norm)
    register("discriminative", Discriminative)
    register("gradual", Gradual)
    register("lp-ft", ProbeThenFineTune)
    register("match", Match)
    register("lora", Lora)
    register("auto", Auto)
