"""The split of variance recovers what was put in."""

from __future__ import annotations

import numpy as np
import pytest

from ftcore.significance.variance import variance_parts


@pytest.mark.parametrize("shared", [1.0, 0.5])
def test_parts_of_a_simulation_come_back_on_average(shared: float) -> None:
    generator, folds, seeds, v = np.random.default_rng(0), 10, 3, 2.0
    means, rounds = np.zeros(4), 4000
    for _ in range(rounds):
        values = 7 + np.sqrt(3.0) * generator.normal(size=(folds, 1))
        values = values + np.sqrt(5.0) * generator.normal(size=(folds, seeds))
        values = values + np.sqrt(v * shared) * generator.normal(size=(folds, 1))
        values = values + np.sqrt(v * (1 - shared)) * generator.normal(size=(folds, seeds))
        parts = variance_parts(values, v, v * (shared + (1 - shared) / seeds))
        assert parts.seed is not None
        assert parts.fold is not None
        assert parts.total is not None
        means += np.array([parts.sampling, parts.seed, parts.fold, parts.total]) / rounds
    # An estimate below 0 counts as 0, which moves the mean of the least certain part, fold, a bit.
    assert means.tolist() == pytest.approx([2, 5, 3, 10], abs=0.25)


def test_parts_by_hand() -> None:
    # Within folds (0.02 + 0.08) / 2 = 0.05; between their means, 0.9 and 1.8, 0.405.
    parts = variance_parts([[0.8, 1.0], [1.6, 2.0]], 0.01)
    assert parts.seed == pytest.approx(0.05)
    assert parts.fold == pytest.approx(0.405 - 0.025 - 0.01)
    assert parts.total == pytest.approx(0.405 + 0.025)
    assert parts.sampling == pytest.approx(0.01)
    assert parts.notes == ()


def test_an_estimate_below_0_is_0_and_said() -> None:
    parts = variance_parts([[0.1, 0.3], [0.3, 0.1]], 0.01)
    assert parts.fold == 0
    assert parts.notes == ("the estimate of fold is -0.02, below 0, and reported as 0",)


def test_one_fold_or_one_seed_leaves_parts_undefined() -> None:
    one_fold = variance_parts([[0.1, 0.3]], [[0.01, 0.03]])
    assert (one_fold.fold, one_fold.total) == (None, None)
    assert one_fold.seed == pytest.approx(0.02)
    assert one_fold.sampling == pytest.approx(0.02)
    one_seed = variance_parts([[0.1], [0.3]], 0.01)
    assert (one_seed.seed, one_seed.fold) == (None, None)
    assert one_seed.total == pytest.approx(0.02)


@pytest.mark.parametrize("values", [[0.1, 0.2], [[]], [[0.1, float("nan")]]])
def test_scores_that_are_no_table_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"finite numbers \(folds, seeds\)"):
        variance_parts(values, 0.01)


def test_a_negative_sampling_variance_is_refused() -> None:
    with pytest.raises(ValueError, match="sampling variance is -1"):
        variance_parts([[0.1, 0.2]], -1)
