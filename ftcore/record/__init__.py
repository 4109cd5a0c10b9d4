"""The machine-readable results: what `record.json` holds, and what the public functions return."""

from __future__ import annotations

from ftcore.record.part import Part, format_bytes
from ftcore.record.run import (
    CountsRecord,
    EpochRecord,
    FeaturesRecord,
    FreezeRecord,
    LogitsRecord,
    MetricValue,
    Record,
    SearchRecord,
    StageRecord,
    WeightsRecord,
)

__all__ = [
    "CountsRecord",
    "EpochRecord",
    "FeaturesRecord",
    "FreezeRecord",
    "LogitsRecord",
    "MetricValue",
    "Part",
    "Record",
    "SearchRecord",
    "StageRecord",
    "WeightsRecord",
    "format_bytes",
]
