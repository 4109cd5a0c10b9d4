"""Which runs a study consists of: named, in a fixed order, so that it can be taken up again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ftcore.config import RunConfig
from ftcore.studies.config import StudyConfig

# Unless a study asks for more: it has seeds of its own, and keeps no models.
DEFAULTS = {"save": "nothing", "repeats": 0, "baselines": "none"}


@dataclass(frozen=True)
class Member:
    """One run of a study."""

    name: str  # of its folder
    config: RunConfig
    fold: int | None  # from 0
    seed: int


@dataclass(frozen=True)
class Cell:
    """One configuration of the grid, and its runs, one for each fold and seed."""

    settings: Mapping[str, Any]  # where it differs from the other configurations
    members: tuple[Member, ...]

    @property
    def label(self) -> str:
        """How it is named beside the others."""
        return describe(self.settings)


def describe(settings: Mapping[str, Any]) -> str:
    """Return settings as in "resnet18 freeze=none lr=0.1"."""
    words = []
    for name, value in settings.items():
        shown = "full" if value is None else value
        is_plain = name == "backbone" or (len(settings) == 1 and name in ("freeze", "dataset"))
        words.append(str(shown) if is_plain else f"{name}={shown}")
    return " ".join(words)


def plan_runs(config: StudyConfig) -> tuple[Cell, ...]:
    """Return the configurations of the grid in order, each with its runs, folds before seeds."""
    cells, number = [], 0
    folds = [None] if config.folds is None else list(range(config.folds))
    for options in config.configurations():
        settings = {name: options[name] for name in config.varied}
        first = int(options.get("seed", 0))
        members = []
        for fold in folds:
            for seed in range(first, first + config.seeds):
                number += 1
                place = {"seed": seed, "out": config.out}
                if fold is not None:
                    place["fold"] = f"{fold + 1}/{config.folds}"
                run = RunConfig.parse({**DEFAULTS, **options, **place}, "the study")
                members.append(Member(_name(number, settings, fold, seed), run, fold, seed))
        cells.append(Cell(settings, tuple(members)))
    return tuple(cells)


def _name(number: int, settings: Mapping[str, Any], fold: int | None, seed: int) -> str:
    words = [describe(settings)] if settings else []
    words += [] if fold is None else [f"fold{fold + 1}"]
    text = "-".join([f"{number:03}", *words, f"seed{seed}"])
    return re.sub(r"[^A-Za-z0-9_.+=-]+", "-", text)[:100]
