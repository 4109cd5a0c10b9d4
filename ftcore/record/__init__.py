"""The machine-readable results: what `record.json` holds, and what the public functions return."""

from __future__ import annotations

from ftcore.record.balance import BalanceRecord
from ftcore.record.comparison import (
    ComparisonRecord,
    DifferenceRecord,
    PairRecord,
    SignificanceRecord,
    Verdict,
)
from ftcore.record.leaks import (
    DuplicateRecord,
    DuplicatesRecord,
    ExampleRecord,
    LeakCount,
    LeaksRecord,
)
from ftcore.record.metric import MetricValue
from ftcore.record.part import Part, format_bytes
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
    "BalanceRecord",
    "CellRecord",
    "ComparisonRecord",
    "CountsRecord",
    "DifferenceRecord",
    "DuplicateRecord",
    "DuplicatesRecord",
    "EpochRecord",
    "ExampleRecord",
    "FeaturesRecord",
    "FreezeRecord",
    "LeakCount",
    "LeaksRecord",
    "LogitsRecord",
    "MemberRecord",
    "MetricValue",
    "PairRecord",
    "Part",
    "Record",
    "ScoreRecord",
    "SearchRecord",
    "SignificanceRecord",
    "SpreadRecord",
    "StageRecord",
    "StudyRecord",
    "Verdict",
    "WeightsRecord",
    "format_bytes",
]
