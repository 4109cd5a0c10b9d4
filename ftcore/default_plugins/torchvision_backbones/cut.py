"""What a model becomes when it is cut: its stages, bottom first, and its own head."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from ftcore import Stage


@dataclass(frozen=True)
class Cut:
    """A model in pieces; the last stage returns features (N, feature_dim).

    `head` is everything above the features, dropout included, so that what is frozen below it
    is the same function in training and in evaluation.
    """

    stages: tuple[Stage, ...]
    head: nn.Module
    feature_dim: int
    head_input: str = ""  # as in `ftcore.Backbone`


def chain(name: str, modules: Mapping[str, nn.Module]) -> Stage:
    """Return the stage that runs `modules` in order; parameters keep their keys as prefix."""
    return Stage(name, nn.Sequential(OrderedDict(modules)))


def pool(average: nn.Module) -> Stage:
    """Return the stage that averages a map and flattens it: (N, D, H, W) to (N, D)."""
    return chain("pool", {"avgpool": average, "flatten": nn.Flatten()})
