from __future__ import annotations

from math import log

import pytest
import torch

from ftcore import Statistics, ops
from ftcore.default_plugins.classification.statistics import ClassificationStatistics, log_odds
from tests.default_plugins.classification.data import batch


@pytest.mark.parametrize("sizes", [[40], [1] * 40, [13, 0, 20, 7]])
def test_batches_of_any_size_give_the_same_fields_and_rows(sizes: list[int]) -> None:
    logits, targets = batch(40, 3)
    statistics = ClassificationStatistics(ops.ClassificationLayout(3), with_scores=True)
    for z, t in zip(torch.split(logits, sizes), torch.split(targets, sizes), strict=True):
        statistics.add_(z, t)
    expected = ops.classification_statistics(logits, targets)
    for name, field in expected.fields.items():
        torch.testing.assert_close(statistics.fields[name], field, rtol=1e-13, atol=0)
    assert torch.equal(statistics.rows["target"], targets)
    assert torch.equal(statistics.rows["prediction"], logits.argmax(-1))
    torch.testing.assert_close(statistics.rows["nll"].sum(), expected.nll)
    torch.testing.assert_close(statistics.rows["scores"], log_odds(logits))
    assert {len(row) for row in statistics.rows.values()} == {40}


def test_rows_seen_before_stay_as_they_were() -> None:
    statistics = ClassificationStatistics(ops.ClassificationLayout(3))
    statistics.add_(*batch(5, 3))
    early = statistics.rows["nll"]
    copy = early.clone()
    statistics.add_(*batch(50, 3, seed=1))
    assert torch.equal(early, copy)
    assert torch.equal(statistics.rows["nll"][:5], copy)


def test_scores_are_kept_only_when_asked_for() -> None:
    assert "scores" not in ClassificationStatistics(ops.ClassificationLayout(3)).rows


def test_an_example_that_is_not_scored_keeps_its_place_in_the_rows() -> None:
    logits, targets = batch(4, 3)
    logits[1, 0], targets[2] = torch.nan, 3
    statistics = ClassificationStatistics(ops.ClassificationLayout(3), with_scores=True)
    statistics.add_(logits, targets)
    assert statistics.rows["target"].tolist() == targets.tolist()
    assert (statistics.rows["prediction"] == -1).tolist() == [False, True, True, False]
    assert statistics.rows["scores"].isnan().any(-1).tolist() == [False, True, True, False]
    assert [int(statistics.fields[n]) for n in ("n", "non_finite", "invalid")] == [2, 1, 1]


def test_sum_of_two_is_plain_and_independent() -> None:
    left, right = (ClassificationStatistics(ops.ClassificationLayout(3)) for _ in range(2))
    left.add_(*batch(5, 3))
    right.add_(*batch(7, 3, seed=1))
    merged: Statistics = left + right
    left.add_(*batch(5, 3))
    assert int(merged.n) == 12
    assert len(merged.rows["target"]) == 12


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        ([1.0, 3.5], [2.5]),
        ([900.0, -900.0], [-1800.0]),
        ([0.0, 0.0, 0.0], [-log(2)] * 3),
        ([log(2), 0.0, 0.0], [0.0, -log(3), -log(3)]),
        # p of the first rounds to 1, yet its odds are known: e^50 to 2.
        ([50.0, 0.0, 0.0], [50 - log(2), -50.0, -50.0]),
        ([800.0, 0.0, 1.0], [799 - log(1 + 1 / 2.718281828459045), -800.0, -799.0]),
    ],
)
def test_log_odds_keep_their_digits(logits: list[float], expected: list[float]) -> None:
    odds = log_odds(torch.tensor([logits], dtype=torch.float64))[0]
    assert odds.tolist() == pytest.approx(expected, rel=1e-12)
