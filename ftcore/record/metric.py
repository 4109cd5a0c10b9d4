"""The value of a metric."""

from __future__ import annotations

from pydantic import Field

from ftcore.record.part import Part


class MetricValue(Part):
    """A metric with its 95 % interval: None where it is undefined, or no interval can be given."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = Field(description="resampling units the value is computed from")
    method: str = Field(description="how the interval was made")
    higher_is_better: bool = True
