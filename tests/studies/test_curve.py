from __future__ import annotations

from typing import Any

import pytest

from ftcore.default_plugins.classification_metrics import accuracy
from ftcore.record import (
    CellRecord,
    ComparisonRecord,
    DepthRecord,
    DifferenceRecord,
    MemberRecord,
    PairRecord,
    ScoreRecord,
    SpreadRecord,
    StudyRecord,
)
from ftcore.studies.curve import Cost, describe_curve, recommend
from ftcore.studies.depths import depths_of
from tests.tiny import make_backbone

DEPTHS = depths_of(make_backbone())
NAMES = [depth.freeze for depth in DEPTHS]
FLOPS = [4000, 3000, 2000, 1000]


def cell(freeze: str, value: float | None) -> CellRecord:
    score = ScoreRecord(
        value=value,
        n=100,
        method="made up",
        spread=SpreadRecord(test=None, seed=None, fold=None),
        values=((value,),),
    )
    run = MemberRecord(
        name=freeze, fold=None, seed=0, failure="" if value is not None else "broke", seconds=2.0
    )
    metrics = {} if value is None else {"accuracy": score}
    return CellRecord(
        label=freeze,
        settings={"freeze": freeze},
        metrics=metrics,
        trained=10,
        seconds=2.0,
        runs=(run,),
    )


def pair(name: str, best: str, **found: Any) -> PairRecord:
    values = {
        "metric": "accuracy", "value": 0.8, "reference": 0.9, "difference": -0.1,
        "low": -0.15, "high": -0.05, "method": "made up", "p": 0.2,
        "verdict": "no difference shown", "more": 1234, **found,
    }  # fmt: skip
    return PairRecord(
        name=name, reference=best, differences=(DifferenceRecord.model_validate(values),)
    )


def curve(values: list[float | None], pairs: list[PairRecord], lr: float = 0.1) -> DepthRecord:
    comparison = ComparisonRecord(
        task="classification", examples=100, folds=None, pairs=tuple(pairs), correction="Holm"
    )
    study = StudyRecord(
        directory="nowhere",
        folds=None,
        seeds=1,
        cells=tuple(map(cell, NAMES, values)),
        comparison=comparison if pairs else None,
        config={},
        timings={},
        environment={},
        created="",
    )
    costs = [
        Cost() if value is None else Cost(flops, 0.1 if flops > 1000 else lr)
        for value, flops in zip(values, FLOPS, strict=True)
    ]
    return describe_curve(study, accuracy(), ("stem", "middle", "top"), DEPTHS, costs)


def test_the_cheapest_depth_that_is_not_shown_worse_is_recommended() -> None:
    record = curve(
        [0.9, 0.85, 0.8, 0.5],
        [
            pair("bottom:1", "none"),
            pair("bottom:2", "none"),
            pair("bottom", "none", verdict="worse", p=0.001, more=None),
        ],
    )
    found = record.recommendation
    assert found is not None
    assert (found.freeze, found.frozen, found.best, found.candidates) == ("bottom:2", 2, "none", 3)
    assert "-0.1000 [-0.1500, -0.0500], p = 0.2 corrected for 3 comparisons" in found.reason
    assert "by itself it would be shown worse. Not" in found.reason
    assert "Not shown worse is not as good: about 1,234 more test examples" in found.reason
    verdicts = [point.verdict for point in record.curve]
    assert verdicts == ["best", "no difference shown", "no difference shown", "worse"]
    assert [point.flops for point in record.curve] == FLOPS
    assert record.curve[1].p == 0.2
    assert record.curve[1].more == 1234


def test_the_best_is_recommended_where_nothing_is_cheaper() -> None:
    pairs = [pair(name, "bottom") for name in NAMES[:3]]
    found = curve([0.8, 0.8, 0.8, 0.9], pairs).recommendation
    assert found is not None
    assert found.freeze == "bottom"
    assert "none takes fewer operations" in found.reason


def test_the_best_is_recommended_where_all_others_are_worse() -> None:
    pairs = [pair(name, "none", verdict="worse", more=None) for name in NAMES[1:]]
    found = curve([0.9, 0.5, 0.5, 0.5], pairs).recommendation
    assert found is not None
    assert (found.freeze, found.candidates) == ("none", 1)
    assert "every other depth is shown worse" in found.reason


def test_of_equal_costs_what_trains_least_is_cheaper_then_what_is_deeper() -> None:
    record = curve([0.9, 0.9, 0.9, 0.9], [pair(name, "none") for name in NAMES[1:]])
    points = [point.model_copy(update={"flops": 7}) for point in record.curve]
    found, _ = recommend(points, "accuracy")
    assert found is not None
    assert found.freeze == "bottom"
    points[1] = points[1].model_copy(update={"trained": 3})
    found, _ = recommend(points, "accuracy")
    assert found is not None
    assert found.freeze == "bottom:1"


def test_a_depth_that_failed_or_has_no_test_is_not_recommended() -> None:
    # The same difference in every fold has no p, though it may be large.
    pairs = [pair("bottom:1", "none"), pair("bottom:2", "none", p=None, more=None)]
    record = curve([0.9, 0.85, 0.5, None], pairs)
    assert record.recommendation is not None
    assert record.recommendation.freeze == "bottom:1"
    assert [point.verdict for point in record.curve[2:]] == [None, None]
    assert record.curve[3].value is None
    assert record.curve[3].seconds is None


def test_nothing_measured_shows_nothing() -> None:
    pairs = [pair("bottom", "none", difference=0.0, low=None, high=None, more=None)]
    found = curve([0.9, None, None, 0.9], pairs).recommendation
    assert found is not None
    assert "accuracy +0.0000, p = 0.2. Not shown worse is not as good: no diff" in found.reason
    assert "by itself" not in found.reason


@pytest.mark.parametrize("values", [[0.9, None, None, None], [None] * 4])
def test_without_a_comparison_there_is_no_recommendation(values: list[float | None]) -> None:
    record = curve(values, [])
    assert record.recommendation is None
    assert "fewer than two depths" in record.why_none


def test_rates_that_differ_are_said() -> None:
    pairs = [pair(name, "none") for name in NAMES[1:]]
    values: list[float | None] = [0.9, 0.9, 0.9, 0.9]
    assert curve(values, pairs).notes == ()
    (note,) = curve(values, pairs, lr=0.01).notes
    assert (
        "different rates, 0.1 (none to bottom:2), 0.01 (bottom), so the curve shows rates" in note
    )
    assert [point.lr for point in curve(values, pairs, lr=0.01).curve] == [0.1, 0.1, 0.1, 0.01]
