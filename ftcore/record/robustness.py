"""How a model fares on corrupted inputs."""

from __future__ import annotations

from pydantic import Field

from ftcore.record.metric import MetricValue
from ftcore.record.part import Part


class SeverityRecord(Part):
    """The scores on inputs that were all corrupted in one way, at one severity."""

    severity: int
    metrics: dict[str, MetricValue]


class CorruptionRecord(Part):
    """The scores on inputs that were corrupted in one way."""

    name: str
    severities: tuple[SeverityRecord, ...]
    mean: dict[str, MetricValue] = Field(description="over the severities")


class CorruptionsRecord(Part):
    """Scores on corrupted test examples; intervals of means are over examples drawn for all."""

    corruptions: tuple[CorruptionRecord, ...]
    mean: dict[str, MetricValue] = Field(description="over the corruptions and their severities")
    metric: str = Field(description="whose errors the next two are: the first one")
    mean_corruption_error: MetricValue = Field(
        description="mean of 1 - metric, or of a metric that is better when lower, over the "
        "corruptions and their severities; not divided by AlexNet's, as published ones are"
    )
    relative_mean_corruption_error: MetricValue = Field(
        description="the same, less the error of the same model on the same examples as they are"
    )

    @property
    def levels(self) -> tuple[int, ...]:
        """The severities, the same for each corruption."""
        return tuple(each.severity for each in self.corruptions[0].severities)
