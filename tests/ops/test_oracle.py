"""The oracle against numbers worked out by hand."""

from __future__ import annotations

from math import log, nan

import numpy as np
import pytest

from tests.ops import oracle

HALF = np.log([1 / 2, 1 / 4, 1 / 4])  # softmax gives the three shares back


@pytest.mark.parametrize(
    ("target", "rank", "nll", "brier"),
    [
        (0, 0, log(2), 1 / 4 + 1 / 16 + 1 / 16),
        (1, 1, log(4), 1 / 4 + 9 / 16 + 1 / 16),
        (2, 2, log(4), 1 / 4 + 1 / 16 + 9 / 16),
    ],
)
def test_row_with_shares_of_a_half_and_two_quarters(
    target: int, rank: int, nll: float, brier: float
) -> None:
    row = oracle.score(HALF, target)
    assert (row.prediction, row.rank) == (0, rank)
    assert row.confidence == pytest.approx(1 / 2)
    assert row.nll == pytest.approx(nll)
    assert row.brier == pytest.approx(brier)
    assert row.entropy == pytest.approx(1.5 * log(2))


def test_ties_go_to_the_smallest_index() -> None:
    row = oracle.score(np.array([1.0, 3.0, 3.0, 3.0]), 2)
    assert (row.prediction, row.rank) == (1, 1)


def test_a_logit_so_low_that_its_probability_is_zero_adds_no_entropy() -> None:
    row = oracle.score(np.array([0.0, -1e300]), 1)
    assert (row.confidence, row.entropy, row.nll, row.brier) == (1.0, 0.0, 1e300, 2.0)


@pytest.mark.parametrize(
    ("logits", "target", "ignore_index", "expected"),
    [
        ([0.0, 1.0], 1, None, "n"),
        ([0.0, 1.0], 1, 1, "ignored"),
        ([0.0, 1.0], -100, None, "invalid"),
        ([0.0, 1.0], -100, -100, "ignored"),
        ([0.0, 1.0], 2, None, "invalid"),
        ([nan, 1.0], 1, None, "non_finite"),
        ([-np.inf, 1.0], 1, None, "non_finite"),
        ([nan, 1.0], 2, None, "invalid"),
        ([nan, 1.0], 1, 1, "ignored"),
    ],
)
def test_outcomes(
    logits: list[float], target: int, ignore_index: int | None, expected: str
) -> None:
    assert oracle.outcome(np.array(logits), target, ignore_index) == expected


def test_three_rows_add_up() -> None:
    logits = np.stack([HALF, HALF, np.array([nan, 0.0, 0.0])])
    total = oracle.statistics(logits, np.array([0, 2, 1]), bins=4)
    outcomes = ("n", "non_finite", "ignored", "invalid")
    assert [int(total[name]) for name in outcomes] == [2, 1, 0, 0]
    assert total["rank"].tolist() == [1, 0, 1]
    assert total["confusion"].tolist() == [[1, 0, 0], [0, 0, 0], [1, 0, 0]]
    assert total["support"].tolist() == [1, 0, 1]
    assert total["predicted"].tolist() == [2, 0, 0]
    assert total["correct"].tolist() == [1, 0, 0]
    assert total["bin_count"].tolist() == [0, 0, 2, 0]
    assert total["bin_correct"].tolist() == [0, 0, 1, 0]
    assert total["bin_confidence"].tolist() == pytest.approx([0, 0, 1, 0])
    assert total["nll"] == pytest.approx(3 * log(2))
    assert total["brier"] == pytest.approx(3 / 8 + 7 / 8)
    assert total["entropy"] == pytest.approx(3 * log(2))


def test_full_confidence_falls_into_the_last_bin() -> None:
    total = oracle.statistics(np.array([[1e3, 0.0]]), np.array([0]), bins=15)
    assert total["bin_count"][14] == 1
