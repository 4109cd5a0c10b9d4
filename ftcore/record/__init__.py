"""The machine-readable results: what `record.json` holds, and what the public functions return."""

from __future__ import annotations

from ftcore.record.balance import BalanceRecord
from ftcore.record.calibration import CalibrationRecord
from ftcore.record.comparison import (
    ComparisonRecord,
    DifferenceRecord,
    PairRecord,
    SignificanceRecord,
    Verdict,
)
from ftcore.record.depth import DepthPoint, DepthRecord, RecommendationRecord
from ftcore.record.leaks import (
    DuplicateRecord,
    DuplicatesRecord,
    ExampleRecord,
    LeakCount,
    LeaksRecord,
)
from ftcore.record.metric import MetricValue
from ftcore.record.part import Part, finite_or_none, format_bytes
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
from ftcore.record.robustness import CorruptionRecord, CorruptionsRecord, SeverityRecord
from ftcore.record.run import (
    CountsRecord,
    EpochRecord,
    FeaturesRecord,
    FreezeRecord,
    LogitsRecord,
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
    "BalanceRecord",
    "CalibrationRecord",
    "CellRecord",
    "ComparisonRecord",
    "CorrelationRecord",
    "CorruptionRecord",
    "CorruptionsRecord",
    "CostRecord",
    "CountsRecord",
    "DepthPoint",
    "DepthRecord",
    "DifferenceRecord",
    "DuplicateRecord",
    "DuplicatesRecord",
    "EpochRecord",
    "ExampleRecord",
    "FeaturesRecord",
    "FreezeRecord",
    "LatencyRecord",
    "LeakCount",
    "LeaksRecord",
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
    "SeverityRecord",
    "SignificanceRecord",
    "SpreadRecord",
    "StageRecord",
    "StudyRecord",
    "Verdict",
    "VerificationRecord",
    "VerifiedBackbone",
    "VerifiedRun",
    "WeightsRecord",
    "finite_or_none",
    "format_bytes",
]
