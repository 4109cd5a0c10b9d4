"""The result of a comparison: paired differences, and what they show."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ftcore.record.part import Part

Verdict = Literal["better", "worse", "no difference shown"]


class SignificanceRecord(Part):
    """A test of the hypothesis that there is no difference."""

    name: str
    p: float | None = Field(description="None where the data cannot say")
    statistic: float | None = None
    note: str = ""


class DifferenceRecord(Part):
    """One metric of two candidates on the same examples."""

    metric: str
    value: float | None = Field(description="of the second candidate")
    reference: float | None = Field(description="of the first")
    difference: float | None = Field(description="second minus first")
    low: float | None = None
    high: float | None = None
    method: str
    higher_is_better: bool = True
    tests: tuple[SignificanceRecord, ...] = Field(
        default=(), description="the first decides the verdict"
    )
    p: float | None = Field(None, description="of the first test, corrected for all comparisons")
    verdict: Verdict
    more: int | None = Field(
        None,
        description="how many more test examples would show a difference of this size, with a "
        "power of 80 %; None where it is shown, or there is none",
    )


class PairRecord(Part):
    """A candidate beside the reference."""

    name: str
    reference: str
    differences: tuple[DifferenceRecord, ...]


class ComparisonRecord(Part):
    """Each candidate beside the first one."""

    schema_version: Literal[1] = 1
    kind: Literal["comparison"] = "comparison"
    task: str
    examples: int = Field(description="test examples that all were scored on")
    folds: int | None
    pairs: tuple[PairRecord, ...]
    correction: str = Field(description="for more than one pair")
    notes: tuple[str, ...] = ()
