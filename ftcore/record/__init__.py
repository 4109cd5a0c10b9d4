"""The machine-readable results: what `record.json` holds, and what the public functions return."""

from __future__ import annotations

from ftcore.record.comparison import (
    ComparisonRecord,
    DifferenceRecord,
    PairRecord,
    SignificanceRecord,
    Verdict,
)
from ftcore.record.depth import DepthPoint, DepthRecord, RecommendationRecord
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
    RepeatRecord,
    SearchRecord,
    StageRecord,
    WeightsRecord,
)
from ftcore.record.study import (
    CellRecord,
    MemberRecord,
    ScoreRecord,
    SpreadRecord,
    StudyRecord,
)

__all__ = [
    "CellRecord",
    "ComparisonRecord",
    "CorrelationRecord",
    "CostRecord",
    "CountsRecord",
    "DepthPoint",
    "DepthRecord",
    "DifferenceRecord",
    "EpochRecord",
    "FeaturesRecord",
    "FreezeRecord",
    "LatencyRecord",
    "LogitsRecord",
    "MemberRecord",
    "MetricValue",
    "PairRecord",
    "Part",
    "RankedBackbone",
    "RankingRecord",
    "RecommendationRecord",
    "Record",
    "RepeatRecord",
    "ScoreRecord",
    "SearchRecord",
    "SignificanceRecord",
    "SpreadRecord",
    "StageRecord",
    "StudyRecord",
    "Verdict",
    "VerificationRecord",
    "VerifiedBackbone",
    "VerifiedRun",
    "WeightsRecord",
    "format_bytes",
]
