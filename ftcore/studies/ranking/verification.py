"""Whether the scores deserved trust: what fine-tuning made of the best backbones.

The validation part chooses the backbone. The test part is reported beside it, and says, from more
examples, how well the scores ranked.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from ftcore.record import (
    CorrelationRecord,
    MetricValue,
    RankedBackbone,
    Record,
    VerificationRecord,
    VerifiedBackbone,
    VerifiedRun,
)
from ftcore.studies.ranking import correlation

Part = Literal["val", "test"]

PARTS: tuple[Part, ...] = ("val", "test")
FEW = 10  # backbones below which chance alone often ranks as well


def describe_run(record: Record) -> VerifiedRun:
    """Return what a run contributes, by its first metric."""
    metric = next(iter(record.metrics))
    best = next(row for row in record.history if row.epoch == record.best_epoch)
    return VerifiedRun(
        seed=record.seed,
        directory=record.directory,
        val=best.val[metric],
        val_loss=best.val_loss,
        test=record.metrics[metric],
        seconds=sum(record.timings.values()),
    )


def verify(
    ranked: Sequence[RankedBackbone],
    runs: Mapping[str, Sequence[VerifiedRun]],
    metric: str,
    seconds: float,
) -> VerificationRecord:
    """Return what the runs of each backbone, by its name, say about the ranking."""
    verified = [_summarize(name, tuple(each)) for name, each in runs.items()]
    best = max(verified, key=_standing, default=None)
    if best is not None and best.val is not None:
        chosen = best.model_copy(update={"is_chosen": True})
        verified[verified.index(best)] = chosen
    scores = {each.name: each.scores for each in ranked}
    names = dict.fromkeys(name for each in ranked for name in each.scores)
    correlations = tuple(
        _correlate(score, part, verified, scores) for score in names for part in PARTS
    )
    return VerificationRecord(
        metric=metric,
        backbones=tuple(verified),
        correlations=correlations,
        caution=_caution(max((each.n for each in correlations), default=0)),
        seconds=seconds,
    )


def _summarize(name: str, runs: tuple[VerifiedRun, ...]) -> VerifiedBackbone:
    tests = [run.test for run in runs if run.test is not None]
    return VerifiedBackbone(
        name=name,
        val=_mean([run.val for run in runs]),
        val_loss=_mean([run.val_loss for run in runs]),
        test=_mean_metric(tests) if len(tests) == len(runs) else None,
        runs=runs,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    # A mean over fewer seeds than the others' would not compare with theirs.
    return sum(defined) / len(defined) if defined and len(defined) == len(values) else None


def _mean_metric(tests: Sequence[MetricValue]) -> MetricValue:
    method = tests[0].method
    if len(tests) > 1:
        # All seeds see the same test examples, so that more seeds make it no narrower.
        method += f", its ends averaged over {len(tests)} seeds"
    return tests[0].model_copy(
        update={
            "value": _mean([test.value for test in tests]),
            "low": _mean([test.low for test in tests]),
            "high": _mean([test.high for test in tests]),
            "method": method,
        }
    )


def _standing(verified: VerifiedBackbone) -> tuple[float, float]:
    value = _signed(verified, "val")
    loss = math.inf if verified.val_loss is None else verified.val_loss
    return (-math.inf if value is None else value), -loss


def _signed(verified: VerifiedBackbone, part: Part) -> float | None:
    """A verified value, such that more is better."""
    test = verified.test
    value = verified.val if part == "val" else None if test is None else test.value
    if value is None or test is None or test.higher_is_better:
        return value
    return -value


def _correlate(
    score: str,
    part: Part,
    verified: Sequence[VerifiedBackbone],
    scores: Mapping[str, Mapping[str, float | None]],
) -> CorrelationRecord:
    pairs = [(scores[each.name].get(score), _signed(each, part)) for each in verified]
    both = [(x, y) for x, y in pairs if x is not None and y is not None]
    x, y = [pair[0] for pair in both], [pair[1] for pair in both]
    tau = correlation.kendall_tau(x, y)
    p, method = (None, "") if tau is None else correlation.permutation_p(x, y)
    weighted = correlation.weighted_tau(x, y)
    return CorrelationRecord(
        score=score, part=part, n=len(both), tau=tau, weighted_tau=weighted, p=p, method=method
    )


def _caution(count: int) -> str:
    if count >= FEW or count < 2:
        return "" if count >= FEW else "a correlation needs two backbones at least"
    least = correlation.least_p(count)
    return (
        f"{count} backbones are few: a perfect ranking of them would have p = {least:.2g}, so "
        "these correlations say little about other backbones or data"
    )
