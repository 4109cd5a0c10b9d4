"""The machine-readable results: what `record.json` holds, and what the public functions return."""

from __future__ import annotations

from ftcore.record.calibration import CalibrationRecord
from ftcore.record.comparison import (
    ComparisonRecord,
    DifferenceRecord,
    PairRecord,
    SignificanceRecord,
    Verdict,
)
from ftcore.record.metric import MetricValue
from ftcore.record.part import Part, format_bytes
from ftcore.record.robustness import CorruptionRecord, CorruptionsRecord, SeverityRecord
from ftcore.record.run import (
    CountsRecord,
    EpochRecord,
    FeaturesRecord,
    FreezeRecord,
    LogitsRecord,
    Record,
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
    "CalibrationRecord",
    "CellRecord",
    "ComparisonRecord",
    "CorruptionRecord",
    "CorruptionsRecord",
    "CountsRecord",
    "DifferenceRecord",
    "EpochRecord",
    "FeaturesRecord",
    "FreezeRecord",
    "LogitsRecord",
    "MemberRecord",
    "MetricValue",
    "PairRecord",
    "Part",
    "Record",
    "ScoreRecord",
    "SearchRecord",
    "SeverityRecord",
    "SignificanceRecord",
    "SpreadRecord",
    "StageRecord",
    "StudyRecord",
    "Verdict",
    "WeightsRecord",
    "format_bytes",
]
