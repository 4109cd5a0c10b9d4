"""The oracle of the multi-label statistics against numbers worked out by hand."""

from __future__ import annotations

from math import inf, log, nan

import numpy as np
import pytest

from tests.ops import multilabel_oracle as oracle


@pytest.mark.parametrize(
    ("logit", "place"),
    [
        (0.0, 0),
        (-0.0, 0),
        (0.0039, 0),
        (2**-8, 1),
        (2**-8 * (1 + 1 / 32), 2),
        (2**-7, 33),
        (1.0, 1 + 8 * 32),
        (1.5, 1 + 8 * 32 + 16),
        (1.999, 8 * 32 + 32),
        (2.0, 1 + 9 * 32),
        (255.9, 512),
        (256.0, 513),
        (1e300, 513),
        (2 - 1e-12, 1 + 9 * 32),  # 2 in float32
    ],
)
def test_bins(logit: float, place: int) -> None:
    assert oracle.bin_of(logit) == 513 + place
    assert oracle.bin_of(-logit) == 513 - place


@pytest.mark.parametrize(
    ("logit", "target", "ignore_index", "expected"),
    [
        (1.0, 1, None, "true_positive"),
        (1.0, 0, None, "false_positive"),
        (-1.0, 1, None, "false_negative"),
        (-1.0, 0, None, "true_negative"),
        (0.0, 1, None, "true_positive"),
        (-0.0, 1, None, "true_positive"),
        (nan, 1, None, "non_finite"),
        (-inf, 0, None, "non_finite"),
        (nan, 2, None, "invalid"),
        (1.0, -1, None, "invalid"),
        (nan, -1, -1, "ignored"),
        (1.0, 0, 0, "ignored"),
    ],
)
def test_outcomes(logit: float, target: int, ignore_index: int | None, expected: str) -> None:
    assert oracle.outcome(logit, target, ignore_index) == expected


def test_losses_of_even_odds_and_of_three_to_one() -> None:
    assert oracle.losses(0.0, 1) == pytest.approx((log(2), 1 / 4))
    assert oracle.losses(0.0, 0) == pytest.approx((log(2), 1 / 4))
    assert oracle.losses(log(3), 1) == pytest.approx((log(4 / 3), 1 / 16))
    assert oracle.losses(log(3), 0) == pytest.approx((log(4), 9 / 16))
    assert oracle.losses(-1e4, 1) == (1e4, 1.0)


def test_rows_and_weights_add_up() -> None:
    logits = np.array([[1.0, -1.0], [1.0, 1.0], [nan, -1.0], [0.0, 0.0]])
    targets = np.array([[1, 0], [1, 0], [1, 0], [1, 1]])
    total, magnitudes = oracle.statistics(logits, targets, np.array([2, 3, 1, -1]))
    assert [total["rows"].item(), total["exact"].item()] == [4, 1]
    assert total["true_positive"].tolist() == [4, -1]
    assert total["false_positive"].tolist() == [0, 3]
    assert total["true_negative"].tolist() == [0, 3]
    assert total["non_finite"].tolist() == [1, 0]
    assert total["positives"][0, 513] == -1
    assert total["positives"][0, 513 + 257] == 5
    assert total["negatives"][1, 513 - 257] == 3
    assert total["nll"][0] == pytest.approx(5 * oracle.losses(1.0, 1)[0] - log(2))
    assert magnitudes["nll"][0] == pytest.approx(5 * oracle.losses(1.0, 1)[0] + log(2))
