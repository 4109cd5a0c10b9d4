"""What a ranking is asked to do, beside the options it shares with runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ftcore.config import Config, Count, RunConfig
from ftcore.errors import UsageError

ScoreName = Literal["logme", "knn", "regularized_h_score", "h_score", "transrate", "leep", "nce"]
CostName = Literal["latency", "flops", "parameters", "memory"]

# Each backbone has its own of these, and a ranking has no single result to hold against a gate.
NOT_SHARED = ("backbone", "weights", "require")
SHARED = tuple(name for name in RunConfig.model_fields if name not in NOT_SHARED)


def _count_or_all(value: Any) -> Any:
    if value is None or value == "all":
        return value
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number < 1:
        raise ValueError("it is a number of backbones, 1 or more, or all")
    return number


class RankConfig(Config):
    """Every choice of a ranking but those it shares with runs, options of `ftcore rank`."""

    backbones: tuple[str, ...] = Field(
        description="Pretrained models to rank, separated by commas; may be repeated."
    )
    weights: tuple[str, ...] = Field(
        (),
        description="auto, imagenet or none for all, or NAME=FILE for one backbone; repeatable.  "
        "[default: auto]",
    )
    score: ScoreName = Field("logme", description="Score that ranks, and that --verify goes by.")
    sort: ScoreName | CostName | None = Field(
        None, description="Score or cost to sort by; by default --score."
    )
    examples: Count = Field(
        5000, description="Most examples of train and val to rank on; more are sampled by class."
    )
    verify: Annotated[int | Literal["all"] | None, BeforeValidator(_count_or_all)] = Field(
        None, description="Fine-tune so many of the best backbones, or all, and compare."
    )
    seeds: Count = Field(1, description="Runs of each backbone verified, from --seed on.")


def parse_options(options: Mapping[str, Any], source: str) -> tuple[RankConfig, RunConfig]:
    """Return the ranking's own options and those of its runs.

    ConfigError names a wrong one, UsageError asks for the backbones.
    """
    if not options.get("backbones"):
        raise UsageError("name the backbones to rank, as in --backbones mobilenet_v2,resnet18")
    own = {name: value for name, value in options.items() if name not in SHARED}
    shared = {name: value for name, value in options.items() if name in SHARED}
    return RankConfig.parse(own, source), RunConfig.parse(shared, source)
