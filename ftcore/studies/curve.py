"""A metric against the number of frozen stages, and the cheapest depth not shown worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ftcore.interfaces import Metric
from ftcore.record import (
    CellRecord,
    DepthPoint,
    DepthRecord,
    DifferenceRecord,
    RecommendationRecord,
    StudyRecord,
)
from ftcore.studies.depths import Depth


@dataclass(frozen=True)
class Cost:
    """What the runs of one depth took, and at which rate they trained; None where none ended."""

    flops: int | None = None  # of an epoch
    lr: float | None = None


def describe_curve(
    study: StudyRecord,
    metric: Metric,
    stages: Sequence[str],
    depths: Sequence[Depth],
    costs: Sequence[Cost],
) -> DepthRecord:
    """Return the curve of a study whose configurations are these depths, in this order.

    `stages` are all that could be frozen, and `costs` what each depth took.
    """
    points = [
        _point(depth, cell, metric.name, cost)
        for depth, cell, cost in zip(depths, study.cells, costs, strict=True)
    ]
    curve = tuple(_compared(point, study) for point in points)
    recommendation, why_none = recommend(curve, metric.name)
    return DepthRecord(
        metric=metric.name,
        higher_is_better=metric.higher_is_better,
        stages=tuple(stages),
        curve=curve,
        recommendation=recommendation,
        notes=_notes(curve),
        why_none=why_none,
        study=study,
    )


def recommend(curve: Sequence[DepthPoint], metric: str) -> tuple[RecommendationRecord | None, str]:
    """Return the cheapest depth that is not shown worse than the best, or why there is none.

    Cheap is what takes few operations an epoch, and then what trains few parameters: both are the
    same on every machine, and in every run, which a time is not.
    """
    best = next((point for point in curve if point.verdict == "best"), None)
    if best is None:
        return None, "fewer than two depths have a result in all their runs, or can be compared"
    able = [point for point in curve if point.verdict not in (None, "worse")]
    cheapest = min(able, key=lambda point: (_cost(point), -point.frozen))
    reason = _reason(cheapest, best, len(able), curve, metric)
    return RecommendationRecord(
        frozen=cheapest.frozen,
        freeze=cheapest.freeze,
        best=best.freeze,
        candidates=len(able),
        reason=reason,
    ), ""


def _notes(curve: Sequence[DepthPoint]) -> tuple[str, ...]:
    rates: dict[float, list[str]] = {}
    for point in curve:
        if point.lr is not None:
            rates.setdefault(point.lr, []).append(point.freeze)
    if len(rates) < 2:
        return ()
    said = ", ".join(
        f"{rate:g} ({' to '.join(dict.fromkeys((names[0], names[-1])))})"
        for rate, names in rates.items()
    )
    return (
        f"the depths trained at different rates, {said}, so the curve shows rates as well; --lr "
        "gives all the same, which need not suit all",
    )


def _cost(point: DepthPoint) -> tuple[float, float]:
    flops, trained = point.flops, point.trained
    return (
        float("inf") if flops is None else flops,
        float("inf") if trained is None else trained,
    )


def _reason(
    point: DepthPoint, best: DepthPoint, able: int, curve: Sequence[DepthPoint], metric: str
) -> str:
    if able == 1:
        return f"{best.freeze} has the best mean, and every other depth is shown worse"
    if point is best:
        return (
            f"{best.freeze} has the best mean, and of the {able} depths that are not shown worse "
            "none takes fewer operations"
        )
    compared = sum(other.p is not None for other in curve)
    words = (
        f"{point.freeze} takes fewest operations of the {able} depths that are not shown worse "
        f"than the best, {best.freeze}: {metric} {_change(point)}, p = {point.p:.2g}"
    )
    if compared > 1:
        words += f" corrected for {compared} comparisons"
        words += ", by itself it would be shown worse" if _is_apart(point) else ""
    words += ". Not shown worse is not as good: "
    if point.more is None:
        return words + "no difference was measured, which does not show that there is none"
    return words + (
        f"about {point.more:,} more test examples would show a difference of this size between "
        "these two alone"
    )


def _change(point: DepthPoint) -> str:
    words = f"{point.difference:+.4f}"
    if point.difference_low is None or point.difference_high is None:
        return words
    return f"{words} [{point.difference_low:+.4f}, {point.difference_high:+.4f}]"


def _is_apart(point: DepthPoint) -> bool:
    """Whether the interval, which no number of comparisons has widened, leaves 0 out."""
    low, high = point.difference_low, point.difference_high
    return low is not None and high is not None and low * high > 0


def _point(depth: Depth, cell: CellRecord, metric: str, cost: Cost) -> DepthPoint:
    score = cell.metrics.get(metric)
    made = [run for run in cell.runs if not run.failure]
    return DepthPoint(
        frozen=depth.frozen,
        stage=depth.stage,
        freeze=depth.freeze,
        value=None if score is None else score.value,
        low=None if score is None else score.low,
        high=None if score is None else score.high,
        trained=cell.trained,
        flops=cost.flops,
        lr=cost.lr,
        seconds=sum(run.seconds for run in made) / len(made) if made else None,
    )


def _compared(point: DepthPoint, study: StudyRecord) -> DepthPoint:
    """Return the point with its difference to the best one, where the study has compared it."""
    if study.comparison is None:
        return point
    if point.freeze == study.comparison.pairs[0].reference:
        return point.model_copy(update={"verdict": "best"})
    for pair in study.comparison.pairs:
        if pair.name == point.freeze:
            return _beside(point, pair.differences[0])
    return point


def _beside(point: DepthPoint, found: DifferenceRecord) -> DepthPoint:
    # Without a p there is no test: the depth is neither shown worse nor not.
    return point.model_copy(
        update={
            "verdict": None if found.p is None else found.verdict,
            "difference": found.difference,
            "difference_low": found.low,
            "difference_high": found.high,
            "p": found.p,
            "more": found.more,
        }
    )
