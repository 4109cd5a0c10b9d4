"""What a study is asked to do: a grid of configurations, each with so many folds and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field

from ftcore.config import Config, Count, RunConfig, read_yaml
from ftcore.errors import ConfigError

# Options of a run that a study sets itself, or that mean something else for many runs.
OWN = ("fold", "out", "require")
LISTS = ("metric",)  # options that are lists already, so that a list of theirs is one value


class StudyConfig(Config):
    """Every choice of a study; `runs` holds for each option of a run the values to try."""

    folds: Annotated[int, Field(ge=2)] | None = Field(
        None, description="Cross-validate over so many folds; by default the usual parts."
    )
    seeds: Count = Field(1, description="Repeat with so many seeds, from --seed on.")
    jobs: Count = Field(1, description="Processes that run side by side.")
    out: Path = Field(Path("runs"), description="Folder in which the study's folder is made.")
    runs: Mapping[str, tuple[Any, ...]] = Field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, Any], source: str) -> StudyConfig:
        """Make a configuration of a study's own options and those of its runs, one or a list each.

        ConfigError names a key that is unknown or wrong.
        """
        own = {name: value for name, value in values.items() if name in cls.model_fields}
        if "runs" in own:
            raise ConfigError(f"{source}: unknown key 'runs'; write the options of runs beside it")
        others = {name: value for name, value in values.items() if name not in own}
        for name in OWN:
            if name in others:
                raise ConfigError(f"{source}: {name!r} is for a run, and no option of a study")
        runs = {name: _values(name, value) for name, value in others.items()}
        if len(runs.get("seed", ())) > 1:
            raise ConfigError(f"{source}: 'seed' is the first of the seeds; 'seeds' says how many")
        config = cls.parse({**own, "runs": runs}, source)
        for member in config.configurations():  # each must be one that could run
            RunConfig.parse(dict(member), source)
        return config

    @classmethod
    def load(cls, path: Path) -> StudyConfig:
        """Read a YAML file; ConfigError for a key that is unknown, given twice, or wrong."""
        return cls.of(read_yaml(path), str(path))

    def configurations(self) -> list[dict[str, Any]]:
        """Return the options of each configuration of the grid; the last option varies fastest."""
        names = [name for name in RunConfig.model_fields if name in self.runs]
        names += [name for name in self.runs if name not in names]
        return [
            dict(zip(names, values, strict=True))
            for values in product(*(self.runs[name] for name in names))
        ]

    @property
    def varied(self) -> tuple[str, ...]:
        """The options with more than one value, in which the configurations differ."""
        return tuple(name for name, values in self.runs.items() if len(values) > 1)

    def to_yaml(self) -> str:
        """Return the options as YAML, as `load` reads them."""
        values = self.model_dump(mode="json")
        runs = {
            name: each[0] if len(each) == 1 and not isinstance(each[0], list) else list(each)
            for name, each in values.pop("runs").items()
        }
        runs |= {name: list(self.runs[name][0]) for name in LISTS if name in runs}
        return yaml.safe_dump({**values, **runs}, sort_keys=False, allow_unicode=True)


def _values(name: str, value: Any) -> tuple[Any, ...]:
    """Return the values to try of an option; "full" shots are all there are."""
    if name in LISTS:
        return (tuple(value) if isinstance(value, (list, tuple)) else (value,),)
    values: Sequence[Any] = value if isinstance(value, (list, tuple)) else (value,)
    if not values:
        raise ConfigError(f"option {name!r} of the study is an empty list; give it a value")
    made = tuple(None if name == "shots" and each == "full" else each for each in values)
    for index, each in enumerate(made):
        if each in made[:index]:
            raise ConfigError(f"option {name!r} of the study has the value {each!r} twice")
    return made
