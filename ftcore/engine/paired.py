"""Differences of two models on the same test examples: their intervals, tests and verdicts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from numpy.typing import ArrayLike
from torch import Tensor

from ftcore.interfaces import Metric, RowProportion
from ftcore.record import DifferenceRecord, SignificanceRecord, Verdict, finite_or_none
from ftcore.significance.paired import Difference, exact_p, holm, mcnemar, needed
from ftcore.significance.resampled import paired_bootstrap_interval

LEVEL = 0.05  # at or below which a difference counts as shown


def bootstrapped(
    replicates: ArrayLike, value: float, units: int
) -> tuple[Difference, SignificanceRecord]:
    """Return a difference from its replicates on draws that both models share, and its test."""
    found = paired_bootstrap_interval(replicates, value, units)
    return found, describe_test("paired bootstrap", found)


def compare_successes(
    metric: RowProportion, first: Mapping[str, Tensor], second: Mapping[str, Tensor]
) -> SignificanceRecord:
    """Return McNemar's test of two models' rows, which are of the same examples in one order."""
    ours, theirs = metric.successes(first).cpu(), metric.successes(second).cpu()
    only_first, only_second = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    test, exact = mcnemar(only_first, only_second), exact_p(only_first, only_second)
    return SignificanceRecord(
        name=test.method,
        p=test.p,
        statistic=test.statistic,
        note=f"of these two models only the first is right on {only_first:,} examples, only the "
        f"second on {only_second:,}; the exact test gives p = {exact:.3g}",
    )


def describe_test(name: str, found: Difference) -> SignificanceRecord:
    """Return the record of the test that a difference comes with."""
    test = found.test
    return SignificanceRecord(
        name=name,
        p=finite_or_none(test.p),
        statistic=finite_or_none(test.statistic),
        note=test.method,
    )


def describe_difference(
    metric: Metric,
    values: tuple[float, float],
    found: Difference | None,
    tests: Sequence[SignificanceRecord],
    examples: int,
) -> DifferenceRecord:
    """Return the record of a difference, second minus first; `decide` comes to the verdict.

    `values` are those of both models, and `found` is None where one of them is undefined.
    """
    more = None
    if found is not None and found.standard_error > 0:
        more = needed(examples, found.value, found.standard_error)
    return DifferenceRecord(
        metric=metric.name,
        reference=finite_or_none(values[0]),
        value=finite_or_none(values[1]),
        difference=None if found is None else found.value,
        low=None if found is None else finite_or_none(found.low),
        high=None if found is None else finite_or_none(found.high),
        method="undefined" if found is None else found.test.method,
        higher_is_better=metric.higher_is_better,
        tests=tuple(tests),
        p=tests[0].p if tests else None,
        verdict="no difference shown",
        more=more,
    )


def decide(found: Sequence[DifferenceRecord]) -> list[DifferenceRecord]:
    """Correct p of one metric for the number of differences (Holm's), with a verdict on each."""
    adjusted = holm([math.nan if each.p is None else each.p for each in found])
    return [_decide(each, p) for each, p in zip(found, adjusted, strict=True)]


def _decide(found: DifferenceRecord, p: float) -> DifferenceRecord:
    verdict: Verdict = "no difference shown"
    if p <= LEVEL and found.difference:
        is_better = (found.difference > 0) == found.higher_is_better
        verdict = "better" if is_better else "worse"
    return found.model_copy(
        update={
            "p": None if math.isnan(p) else p,
            "verdict": verdict,
            # What is not shown takes one more, even where its power would be enough.
            "more": None if verdict != "no difference shown" else found.more and max(1, found.more),
        }
    )
