"""The result of a study: what its runs say together."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ftcore.record.comparison import ComparisonRecord
from ftcore.record.part import Part


class SpreadRecord(Part):
    """What makes a score vary, as standard deviations; None where it cannot be told apart."""

    test: float | None = Field(description="the sample of test examples")
    seed: float | None = Field(description="first weights and order, or the draw of the shots")
    fold: float | None = Field(description="which examples were trained on")
    note: str = ""


class ScoreRecord(Part):
    """A metric over the runs of one configuration."""

    value: float | None = Field(description="mean over folds, each the mean over its seeds")
    low: float | None = None
    high: float | None = None
    n: int = Field(description="test examples that the runs were scored on, each once")
    method: str = Field(description="how the interval was made")
    higher_is_better: bool = True
    spread: SpreadRecord
    values: tuple[tuple[float | None, ...], ...] = Field(
        description="of each fold, or of the one test part, the value for each seed"
    )


class MemberRecord(Part):
    """One run of a study."""

    name: str = Field(description="of its folder below runs/")
    fold: int | None
    seed: int
    failure: str = Field("", description="why it has no result; empty where it has")
    metrics: dict[str, float | None] = Field(default_factory=dict)
    seconds: float = 0.0


class CellRecord(Part):
    """One configuration of a study."""

    label: str
    settings: dict[str, Any] = Field(description="where it differs from the others")
    metrics: dict[str, ScoreRecord] = Field(description="empty where every run failed")
    trained: int | None = Field(None, description="parameters that train")
    seconds: float = Field(0.0, description="wall time of its runs")
    runs: tuple[MemberRecord, ...]


class StudyRecord(Part):
    """The result of a study."""

    schema_version: Literal[1] = 1
    kind: Literal["study"] = "study"
    directory: str
    folds: int | None
    seeds: int
    cells: tuple[CellRecord, ...]
    comparison: ComparisonRecord | None = Field(
        None, description="the configuration with the best mean beside each other one"
    )
    notes: tuple[str, ...] = ()
    config: dict[str, Any]
    timings: dict[str, float] = Field(description="wall seconds by step")
    environment: dict[str, Any]
    created: str = Field(description="UTC, ISO 8601")

    @property
    def size(self) -> int:
        """How many runs it consists of."""
        return sum(len(cell.runs) for cell in self.cells)

    @property
    def failures(self) -> tuple[MemberRecord, ...]:
        """The runs without a result."""
        return tuple(run for cell in self.cells for run in cell.runs if run.failure)
