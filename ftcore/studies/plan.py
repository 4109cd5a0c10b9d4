"""Which runs a study consists of: named, in a fixed order, so that it can be taken up again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ftcore.config import RunConfig
from ftcore.studies.config import StudyConfig


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
    """Return settings as in "freeze=none lr=0.1"; a single one by its value."""
    shown = {name: "full" if value is None else value for name, value in settings.items()}
    if len(shown) == 1 and "shots" not in shown:
        return str(next(iter(shown.values())))
    return " ".join(f"{name}={value}" for name, value in shown.items())


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
                run = RunConfig.parse({"save": "nothing", **options, **place}, "the study")
                members.append(Member(_name(number, settings, fold, seed), run, fold, seed))
        cells.append(Cell(settings, tuple(members)))
    return tuple(cells)


def _name(number: int, settings: Mapping[str, Any], fold: int | None, seed: int) -> str:
    words = [describe({name: value}) for name, value in settings.items()]
    words += [] if fold is None else [f"fold{fold + 1}"]
    text = "-".join([f"{number:03}", *words, f"seed{seed}"])
    return re.sub(r"[^A-Za-z0-9_.+=-]+", "-", text)[:100]
