"""The oracle of the regression statistics against numbers worked out by hand."""

from __future__ import annotations

from math import inf, nan

import numpy as np
import pytest

from tests.ops import regression_oracle as oracle


def test_terms_of_one_value() -> None:
    # d = 5 - 2, p = 5 - 1, t = 2 - 1
    assert list(oracle.terms(5.0, 2.0, 1.0).values()) == [3, 9, 3, 4, 1, 16, 1, 4]
    assert list(oracle.terms(-1.0, 2.0, 0.0).values()) == [3, 9, -3, -1, 2, 1, 4, -2]


@pytest.mark.parametrize(
    ("output", "target", "expected"),
    [
        (1.0, 2.0, "n"),
        (nan, 2.0, "non_finite"),
        (-inf, 2.0, "non_finite"),
        (1.0, nan, "invalid"),
        (1.0, inf, "invalid"),
        (nan, nan, "invalid"),
    ],
)
def test_outcomes(output: float, target: float, expected: str) -> None:
    assert oracle.outcome(output, target) == expected


def test_three_rows_of_two_columns_add_up() -> None:
    outputs = np.array([[1.0, nan], [2.0, 4.0], [6.0, 0.0]])
    targets = np.array([[0.0, 1.0], [4.0, nan], [3.0, 0.0]])
    total, magnitudes = oracle.statistics(outputs, targets)
    assert [total[name].tolist() for name in oracle.COUNTS] == [[3, 1], [0, 1], [0, 1]]
    assert total["absolute"].tolist() == [6, 0]
    assert total["squared"].tolist() == [14, 0]
    assert total["error"].tolist() == [2, 0]
    assert total["product"].tolist() == [26, 0]
    assert magnitudes["error"].tolist() == [6, 0]


def test_weights_multiply_counts_and_sums() -> None:
    outputs, targets = (
        np.array([[1.0], [2.0], [nan], [inf]]),
        np.array([[0.0], [5.0], [1.0], [1.0]]),
    )
    total, magnitudes = oracle.statistics(outputs, targets, np.array([3, -1, 2, 0]), center=1.0)
    assert [total[name].item() for name in oracle.COUNTS] == [2, 2, 0]
    assert total["squared"].item() == 3 * 1 - 9
    assert total["target"].item() == 3 * -1 - 4
    assert magnitudes["target"].item() == 7
