"""The result of a run or an evaluation."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ftcore.record.calibration import CalibrationRecord
from ftcore.record.comparison import DifferenceRecord
from ftcore.record.leaks import LeaksRecord
from ftcore.record.metric import MetricValue
from ftcore.record.part import Part
from ftcore.record.robustness import CorruptionsRecord


class WeightsRecord(Part):
    """Where the backbone's parameters came from."""

    name: str
    origin: str = ""
    sha256: str = ""
    training_data: str = "none"
    licence: str = ""
    note: str = ""


class LogitsRecord(Part):
    """The stored logits that were scored."""

    file: str
    bytes: int
    dtype: str


class StageRecord(Part):
    """What the freeze plan does with one stage; the head is the last one."""

    name: str
    parameters: int
    trained: int = Field(description="parameters that train in some phase")
    rates: tuple[float, ...] = Field(description="distinct learning-rate scales in it")
    first_epoch: int | None = Field(description="first epoch in which a parameter of it trains")
    cached: bool = Field(description="whether its output was computed once and kept")
    reason: str = Field(default="", description="why, where the strategy says so")


class FreezeRecord(Part):
    """The proof that what was frozen did not move: its hash before and after training."""

    parameters: int = Field(description="parameters of the model")
    trained: int = Field(description="parameters that train in some phase")
    frozen: int
    frozen_bytes: int = Field(description="parameters and buffers that must not move, in bytes")
    changed_bytes: int
    sha256_before: str
    sha256_after: str
    phases: tuple[int, ...] = Field(description="first epoch of each phase")
    stages: tuple[StageRecord, ...]


class FeaturesRecord(Part):
    """What the frozen stages below a cut made of the examples, kept instead of computed again."""

    first_stage: str
    last_stage: str
    kept: Literal["memory", "disk"]
    examples: int = Field(description="whose features were used, views counted")
    found: int = Field(description="of them in the cache already")
    computed: int = Field(description="of them computed in this run")
    bytes: int
    seconds: float = Field(description="wall time of computing, in this run")
    saved_seconds: float = Field(
        description="what computing the features at every use would have taken besides, at the "
        "time that computing them once was measured to take"
    )
    prefix: str = Field(description="how the stages were computed")
    difference: float = Field(
        description="largest difference to the plain fp32 stages on some examples, over the "
        "largest of their outputs"
    )


class SearchRecord(Part):
    """How a head fared in the search for learning rate and weight decay, on the val part."""

    lr: float
    weight_decay: float
    best_epoch: int | None = Field(description="None where the head failed")
    val: dict[str, float | None] = Field(description="at its best epoch; empty where it failed")
    val_loss: float | None
    is_chosen: bool


class RepeatRecord(Part):
    """How a head fared that differs from the run's in its seed alone, on the test part."""

    seed: int
    metrics: dict[str, float | None]


class EpochRecord(Part):
    """One line of metrics.jsonl."""

    epoch: int
    learning_rate: float
    train_loss: float
    val_loss: float | None = Field(
        description="mean negative log-likelihood, where the task has one"
    )
    val: dict[str, float | None]
    is_best: bool


class CountsRecord(Part):
    """How many examples each part has, and what evaluation met."""

    splits: dict[str, int]
    evaluated: int = Field(description="examples scored, each once")
    ignored: int = 0
    non_finite: int = 0


class Record(Part):
    """The result of a run or an evaluation."""

    schema_version: Literal[1] = 1
    kind: Literal["run", "evaluation"]
    directory: str | None = Field(description="where the run was written")
    task: str
    metrics: dict[str, MetricValue]
    baselines: dict[str, dict[str, MetricValue]] = Field(default_factory=dict)
    gains: dict[str, dict[str, DifferenceRecord]] = Field(
        default_factory=dict,
        description="what the run added over each baseline, in each metric, on the same examples",
    )
    baseline_notes: dict[str, str] = Field(
        default_factory=dict, description="how a baseline was made, or why there is none or no gain"
    )
    per_class: dict[str, dict[str, float | None]] = Field(default_factory=dict)
    classes: tuple[str, ...] = Field(default=(), description="names, in the order of the outputs")
    input_shape: tuple[int, ...] = Field(default=(), description="of a typical raw example")
    history: tuple[EpochRecord, ...] = ()
    best_epoch: int | None = None
    freeze: FreezeRecord | None = None
    features: tuple[FeaturesRecord, ...] = ()
    search: tuple[SearchRecord, ...] = ()
    repeats: tuple[RepeatRecord, ...] = ()
    calibration: CalibrationRecord | None = None
    corruptions: CorruptionsRecord | None = None
    weights: WeightsRecord | None = Field(description="None where stored logits were scored")
    logits: LogitsRecord | None = None
    preprocess: dict[str, Any] = Field(default_factory=dict, description="what made the inputs")
    counts: CountsRecord
    leaks: LeaksRecord | None = Field(
        default=None,
        description="test examples that are in train or val; None where not looked for",
    )
    notes: tuple[str, ...] = Field(default=(), description="lines that the user must see")
    seed: int
    config: dict[str, Any] = Field(description="the resolved configuration; runs again as it is")
    timings: dict[str, float] = Field(description="wall seconds by step")
    environment: dict[str, Any]
    created: str = Field(description="UTC, ISO 8601")
