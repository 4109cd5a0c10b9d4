"""Examples that are there twice: of a dataset, and of the test part of a run."""

from __future__ import annotations

from pydantic import Field

from ftcore.record.metric import MetricValue
from ftcore.record.part import Part


class ExampleRecord(Part):
    """An example of a part, and what is to be predicted of it."""

    part: str
    id: str
    target: str


class DuplicateRecord(Part):
    """Two examples that are the same, or nearly."""

    one: ExampleRecord
    other: ExampleRecord
    likeness: float = Field(description="1 for the same content")

    @property
    def is_conflict(self) -> bool:
        """Whether the two have different targets."""
        return self.one.target != self.other.target


class LeakCount(Part):
    """How many test examples have a copy in another part."""

    exact: int
    near: int = Field(description="a near copy, and none that is exact")


class DuplicatesRecord(Part):
    """Which examples of a dataset are the same, or nearly."""

    how: tuple[str, ...] = Field(description="what was compared, and what was not")
    exact: tuple[tuple[ExampleRecord, ...], ...] = Field(
        description="groups of examples with the same content"
    )
    near: tuple[DuplicateRecord, ...] | None = Field(
        description="near copies, each content by its first example; None where not looked for"
    )
    leaked: dict[str, LeakCount] = Field(description="test examples with a copy in the named part")
    conflicts: tuple[DuplicateRecord, ...] = Field(description="copies with different targets")


class LeaksRecord(Part):
    """Test examples of a run with a copy in train or val, and the scores without them."""

    how: tuple[str, ...] = Field(description="what was compared, and what was not")
    exact: int = Field(description="test examples with an exact copy in train or val")
    near: int | None = Field(description="others with a near copy there; None where not looked for")
    in_train: int = Field(description="those of both kinds whose copy is in train itself")
    conflicts: int = Field(description="those of both kinds whose copy has another target")
    pairs: tuple[DuplicateRecord, ...] = Field(description="the first few, the test example first")
    kept: int = Field(description="test examples without a copy")
    metrics: dict[str, MetricValue] = Field(
        default_factory=dict, description="of the test examples without a copy, where some have one"
    )
    note: str = Field(default="", description="why there are no such metrics")

    @property
    def leaked(self) -> int:
        """The test examples with a copy of either kind."""
        return self.exact + (self.near or 0)
