"""What is counted, of intervals and tests made up here."""

from __future__ import annotations

import math

import pytest

from benchmarks.coverage.tally import Coverage, Rejections


def test_intervals_hold_miss_or_are_not_there() -> None:
    tally = Coverage()
    for low, high in ((0.0, 1.0), (0.6, 0.9), (0.1, 0.4), (0.5, 0.7), (None, None), (math.nan, 1)):
        tally.add("metric", low, high, 0.5)
    (row,) = tally.rows("part", "setting")
    assert (row["held"], row["truth_below"], row["truth_above"]) == (0.5, 0.25, 0.25)
    assert (row["without"], row["simulations"]) == (2, 6)
    assert row["mean_width"] == pytest.approx(0.45)


def test_rejections_are_counted_and_an_undefined_p_is_none() -> None:
    tally = Rejections()
    for p in (0.05, 0.051, math.nan, 0.001):
        tally.add("test", p)
    assert tally.rows("part", "setting")[0]["rejected"] == 0.5
