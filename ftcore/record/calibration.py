"""What a temperature does to a model's probabilities."""

from __future__ import annotations

from pydantic import Field

from ftcore.record.metric import MetricValue
from ftcore.record.part import Part


class CalibrationRecord(Part):
    """Scores of the test examples before and after dividing the outputs by a temperature.

    The predictions, the other metrics and the model are those without it.
    """

    temperature: float
    is_bounded: bool = Field(
        description="whether a temperature beyond the bounds would fit better still, as where "
        "every val example is predicted right"
    )
    n: int = Field(description="val examples it was fitted on")
    before: dict[str, MetricValue]
    after: dict[str, MetricValue]
    change: dict[str, MetricValue] = Field(description="after less before, on the same examples")
