"""The machine-readable results: what `record.json` holds, and what the public functions return."""

from __future__ import annotations

from ftcore.record.part import Part, format_bytes
from ftcore.record.ranking import (
    CorrelationRecord,
    CostRecord,
    LatencyRecord,
    RankedBackbone,
    RankingRecord,
    VerificationRecord,
    VerifiedBackbone,
    VerifiedRun,
)
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
    "CorrelationRecord",
    "CostRecord",
    "CountsRecord",
    "EpochRecord",
    "FeaturesRecord",
    "FreezeRecord",
    "LatencyRecord",
    "LogitsRecord",
    "MetricValue",
    "Part",
    "RankedBackbone",
    "RankingRecord",
    "Record",
    "SearchRecord",
    "StageRecord",
    "VerificationRecord",
    "VerifiedBackbone",
    "VerifiedRun",
    "WeightsRecord",
    "format_bytes",
]
