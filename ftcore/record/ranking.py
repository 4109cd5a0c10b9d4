"""The result of a ranking: which pretrained model suits the data, at which cost."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ftcore.record.metric import MetricValue
from ftcore.record.part import Part
from ftcore.record.run import WeightsRecord


class LatencyRecord(Part):
    """The wall time of a forward pass through the stages, in seconds."""

    examples: int = Field(description="in one call")
    seconds: float = Field(description="median of the rounds")
    low: float = Field(description="lower quartile")
    high: float = Field(description="upper quartile")
    rounds: int


class CostRecord(Part):
    """What a backbone without its head costs to use."""

    parameters: int
    flops: int = Field(description="of one example; a multiplication and an addition are two")
    uncounted: tuple[str, ...] = Field(description="operators that the FLOPs leave out")
    one: LatencyRecord
    batch: LatencyRecord
    memory_bytes: int = Field(description="peak of inference on a batch, with weights and inputs")
    memory_method: str = Field(description="what the peak counts")
    threads: int
    device: str


class RankedBackbone(Part):
    """One backbone: its scores and its cost, or why there are none."""

    name: str = Field(description="as it was asked for")
    failure: str | None = None
    weights: WeightsRecord | None = None
    feature_dim: int | None = None
    preprocess: dict[str, Any] = Field(default_factory=dict, description="what made the inputs")
    scores: dict[str, float | None] = Field(
        default_factory=dict, description="more is better; None where one is undefined"
    )
    undefined: dict[str, str] = Field(default_factory=dict, description="why, by score")
    cost: CostRecord | None = None
    is_undominated: bool = Field(
        default=False, description="none is as fast with a score as high, and better in one"
    )
    found: int = Field(default=0, description="examples whose features were in the cache already")
    computed: int = Field(default=0, description="examples whose features were computed")
    seconds: dict[str, float] = Field(default_factory=dict, description="wall time by step")


class VerifiedRun(Part):
    """One ordinary run of a backbone."""

    seed: int
    directory: str | None = None
    val: float | None = Field(default=None, description="of the best epoch, by the first metric")
    val_loss: float | None = None
    test: MetricValue | None = None
    seconds: float | None = None
    failure: str | None = None


class VerifiedBackbone(Part):
    """What fine-tuning made of a backbone: means over the seeds."""

    name: str
    val: float | None
    val_loss: float | None
    test: MetricValue | None = Field(description="value and ends of the interval are means")
    runs: tuple[VerifiedRun, ...]
    is_chosen: bool = Field(default=False, description="best on the validation part")


class CorrelationRecord(Part):
    """How far a score ranks the verified backbones as fine-tuning does."""

    score: str
    part: Literal["val", "test"]
    n: int = Field(description="backbones that have both")
    tau: float | None = Field(description="Kendall's tau-b; None where one does not vary")
    weighted_tau: float | None = Field(description="Vigna's, in which the top counts most")
    p: float | None = Field(description="of tau, two-sided, from permutations")
    method: str


class VerificationRecord(Part):
    """The test of the scores: the best backbones, fine-tuned."""

    metric: str
    backbones: tuple[VerifiedBackbone, ...]
    correlations: tuple[CorrelationRecord, ...]
    caution: str = Field(description="how little the correlations may mean; empty for many")
    seconds: float


class RankingRecord(Part):
    """The result of a ranking."""

    schema_version: Literal[1] = 1
    kind: Literal["ranking"] = "ranking"
    directory: str | None = Field(description="where the ranking was written")
    dataset: str
    task: str
    score: str = Field(description="the score that ranks")
    sort: str = Field(description="the column by which backbones are in order")
    examples: int = Field(description="of the train and val parts, that scores come from")
    available: int = Field(description="in the train and val parts")
    classes: tuple[str, ...]
    backbones: tuple[RankedBackbone, ...]
    verification: VerificationRecord | None = None
    notes: tuple[str, ...] = Field(default=(), description="lines that the user must see")
    config: dict[str, Any]
    timings: dict[str, float] = Field(description="wall seconds by step")
    environment: dict[str, Any]
    created: str = Field(description="UTC, ISO 8601")
