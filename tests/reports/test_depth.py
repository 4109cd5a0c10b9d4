from __future__ import annotations

import pytest

from ftcore.record import DepthRecord, PairRecord
from ftcore.reports.depth import format_flops, render_depth
from tests.studies.test_curve import curve, pair

PAIRS = [
    pair("bottom:1", "none"),
    pair("bottom:2", "none"),
    pair("bottom", "none", verdict="worse", p=0.001, more=None),
]


def shown(values: list[float | None], pairs: list[PairRecord]) -> DepthRecord:
    record = curve(values, pairs)
    points = [
        point if point.value is None else point.model_copy(
            update={"low": point.value - 0.1, "high": point.value + 0.1}
        )
        for point in record.curve
    ]  # fmt: skip
    study = record.study.model_copy(update={"config": {"runs": {"backbone": ["tiny"]}}})
    return record.model_copy(update={"curve": tuple(points), "study": study})


def test_the_curve_stands_on_one_axis_with_the_verdicts_beside_it() -> None:
    lines = render_depth(shown([0.9, 0.8, 0.7, 0.5], PAIRS), 69)  # a column is 0.02
    assert lines[:6] == [
        "tiny · 3 stages · 1 seed",
        "          0.400      accuracy       1.000",
        "none                          ─────●─────  best",
        "bottom:1                 ─────●─────       not shown worse",
        "bottom:2            ─────●─────            not shown worse, take this",
        "bottom    ─────●─────                      worse",
    ]


@pytest.mark.parametrize("width", [24, 30, 40, 80, 100])
def test_the_card_fits_its_width(width: int) -> None:
    lines = render_depth(shown([0.9, 0.8, 0.7, 0.5], PAIRS), width)
    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    for words in ("take this", "not shown worse", "1,234", "4.00 k", "--freeze bottom:2"):
        assert words in text


def test_a_failed_depth_and_a_missing_recommendation_are_said() -> None:
    text = "\n".join(render_depth(shown([0.9, None, None, None], []), 80))
    assert text.count("no result") == 3
    assert "3 of 4 runs; broke" in text
    assert "no recommendation: fewer than two depths" in text
    assert "next" not in text


def test_without_any_result_there_is_no_curve() -> None:
    text = "\n".join(render_depth(shown([None] * 4, []), 80))
    assert "●" not in text
    assert "4 of 4 runs; broke" in text


def test_equal_scores_without_intervals_are_a_point() -> None:
    record = curve([0.5] * 4, [pair(name, "none") for name in ("bottom:1", "bottom:2", "bottom")])
    study = record.study.model_copy(update={"config": {"runs": {}}})
    lines = render_depth(record.model_copy(update={"study": study}), 80)
    assert [line.count("●") for line in lines[2:6]] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (999, "999"), (1000, "1.00 k"), (999_600, "1.00 M"), (1_234_567_890, "1.23 G")],
)
def test_operations_are_shown_in_three_digits(count: float, text: str) -> None:
    assert format_flops(count) == text
