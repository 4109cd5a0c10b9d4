from __future__ import annotations

import pytest

from ftcore.record import (
    CellRecord,
    ComparisonRecord,
    DifferenceRecord,
    MemberRecord,
    PairRecord,
    ScoreRecord,
    SignificanceRecord,
    SpreadRecord,
    StudyRecord,
    Verdict,
)
from ftcore.reports.study import render_comparison, render_study


def cell(label: str, value: float | None, failure: str = "") -> CellRecord:
    score = ScoreRecord(
        value=value,
        low=None if value is None else value - 0.02,
        high=None if value is None else value + 0.02,
        n=500,
        method="corrected t",
        spread=SpreadRecord(test=0.012, seed=0.003, fold=0.0),
        values=((value, value), (value, value)),
    )
    runs = tuple(MemberRecord(name=f"run-{i}", fold=None, seed=i, failure=failure) for i in (0, 1))
    return CellRecord(
        label=label,
        settings={"freeze": label},
        metrics={} if failure else {"accuracy": score},
        trained=5130,
        seconds=1.0,
        runs=runs,
    )


def difference(verdict: Verdict, value: float, more: int | None = None) -> DifferenceRecord:
    return DifferenceRecord(
        metric="accuracy",
        value=0.9 + value,
        reference=0.9,
        difference=value,
        low=value - 0.01,
        high=value + 0.01,
        method="paired bootstrap",
        tests=(SignificanceRecord(name="McNemar, mid-p", p=0.02, note="only the first …"),),
        p=0.04,
        verdict=verdict,
        more=more,
    )


COMPARISON = ComparisonRecord(
    task="classification",
    examples=500,
    folds=None,
    pairs=(
        PairRecord(
            name="none",
            reference="bottom",
            differences=(difference("no difference shown", 0.01, 1200),),
        ),
        PairRecord(name="top:1", reference="bottom", differences=(difference("worse", -0.05),)),
    ),
    correction="Holm",
    notes=("one seed of each",),
)


def study(*cells: CellRecord, comparison: ComparisonRecord | None = None) -> StudyRecord:
    return StudyRecord(
        directory="runs/study-1",
        folds=5,
        seeds=2,
        cells=cells,
        comparison=comparison,
        config={"runs": {"backbone": ["resnet18"], "freeze": ["bottom", "none"]}},
        timings={"runs": 12.0},
        environment={},
        created="2026-01-01T00:00:00+00:00",
    )


def test_one_configuration_shows_its_spread() -> None:
    text = "\n".join(render_study(study(cell("bottom", 0.9))))
    assert "resnet18 · 5 folds × 2 seeds" in text
    assert "accuracy  0.9000  [0.8800, 0.9200]  95 % interval, 500 examples" in text
    assert "± 0.0120 test examples, ± 0.0030 seed, ± 0.0000 training set" in text


def test_several_are_a_table_with_the_best_first() -> None:
    cells = (cell("top:1", 0.85), cell("bottom", 0.9), cell("none", 0.91))
    lines = render_study(study(*cells, comparison=COMPARISON))
    order = [line.split()[0] for line in lines if line.startswith(("top", "bottom", "none"))]
    assert order == ["none", "bottom", "top:1"]
    rows = {line.split()[0]: line for line in lines}
    assert rows["bottom"].endswith("best")
    assert rows["none"].endswith("not shown worse")
    assert rows["top:1"].endswith("worse")


def test_failures_are_counted_and_the_first_is_told() -> None:
    lines = render_study(study(cell("bottom", 0.9), cell("none", None, "out of memory")))
    assert any("2 of 4 runs; out of memory" in line for line in lines)


def test_an_undefined_score_is_shown_as_such() -> None:
    text = "\n".join(render_study(study(cell("bottom", 0.9), cell("none", None))))
    assert "undefined" in text


def test_a_verdict_says_how_many_more_examples_it_would_take() -> None:
    text = "\n".join(render_comparison(COMPARISON, 200))
    assert "no difference shown: accuracy 0.9000 → 0.9100, +0.0100  [+0.0000, +0.0200]" in text
    assert "about 1,200 more test examples" in text
    assert "p = 0.02, 0.04 after Holm's correction for 2 pairs" in text


@pytest.mark.parametrize("width", [40, 80])
def test_cards_fit_their_width(width: int) -> None:
    record = study(cell("bottom", 0.9), cell("none", 0.91), comparison=COMPARISON)
    lines = render_study(record, width) + render_comparison(COMPARISON, width)
    assert max(map(len, lines)) <= width
