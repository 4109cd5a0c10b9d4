"""The result of a depth sweep: how good a model is, by how many of its stages are frozen."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ftcore.record.comparison import Verdict
from ftcore.record.part import Part
from ftcore.record.study import StudyRecord


class DepthPoint(Part):
    """One depth: the first metric, what it took, and how it stands beside the best depth."""

    frozen: int = Field(description="stages with parameters that are frozen, from the bottom")
    stage: str = Field(description="the topmost of them; empty where none is frozen")
    freeze: str = Field(description="the strategy, as --freeze takes it")
    value: float | None = Field(
        default=None, description="mean of the first metric; None without a run"
    )
    low: float | None = None
    high: float | None = None
    trained: int | None = Field(default=None, description="parameters that train, with the head's")
    flops: int | None = Field(
        default=None,
        description="floating-point operations of an epoch's training, less what frozen stages "
        "were computed once and kept",
    )
    seconds: float | None = Field(default=None, description="wall time of one run, in the mean")
    lr: float | None = Field(default=None, description="peak learning rate of its runs")
    verdict: Literal["best"] | Verdict | None = Field(
        default=None, description="beside the best depth; None where it cannot be compared"
    )
    difference: float | None = Field(default=None, description="to the best depth, this less that")
    difference_low: float | None = None
    difference_high: float | None = None
    p: float | None = Field(default=None, description="corrected for the number of depths (Holm)")
    more: int | None = Field(
        default=None,
        description="how many more test examples would show a difference of this size between "
        "these two alone",
    )


class RecommendationRecord(Part):
    """The cheapest depth that is not shown worse than the best."""

    frozen: int
    freeze: str
    best: str = Field(description="the strategy with the best mean")
    candidates: int = Field(description="depths that are not shown worse, the best among them")
    reason: str


class DepthRecord(Part):
    """The result of a depth sweep."""

    schema_version: Literal[1] = 1
    kind: Literal["depth"] = "depth"
    metric: str
    higher_is_better: bool
    stages: tuple[str, ...] = Field(description="stages with parameters, bottom first")
    curve: tuple[DepthPoint, ...] = Field(description="from nothing frozen to everything")
    recommendation: RecommendationRecord | None = Field(description="None where nothing is shown")
    notes: tuple[str, ...] = Field(default=(), description="lines that the user must see")
    why_none: str = Field(default="", description="why there is no recommendation")
    study: StudyRecord = Field(description="all runs")
