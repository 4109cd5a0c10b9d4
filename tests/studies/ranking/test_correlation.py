from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ftcore.studies.ranking.correlation import (
    kendall_tau,
    least_p,
    permutation_p,
    weighted_tau,
)


@pytest.mark.parametrize("count", [2, 3, 6, 12])
@pytest.mark.parametrize("has_ties", [False, True])
def test_taus_are_those_of_scipy(count: int, has_ties: bool) -> None:
    for seed in range(5):
        x, y = np.random.default_rng(seed).normal(size=(2, count))
        if has_ties:
            x, y = x.round(), (y + x).round()
        for ours, theirs in (
            (kendall_tau(x.tolist(), y.tolist()), stats.kendalltau(x, y).statistic),
            (weighted_tau(x.tolist(), y.tolist()), stats.weightedtau(x, y).statistic),
        ):
            assert ours == pytest.approx(theirs) or (ours is None and np.isnan(theirs))


def test_p_is_the_exact_one_where_nothing_ties() -> None:
    for count in (3, 5, 7):
        x, y = np.random.default_rng(count).normal(size=(2, count))
        p, method = permutation_p(x.tolist(), y.tolist())
        assert p == pytest.approx(stats.kendalltau(x, y, method="exact").pvalue)
        assert "exact" in method


@pytest.mark.parametrize(("count", "p"), [(2, 1.0), (3, 1 / 3), (4, 1 / 12), (5, 1 / 60)])
def test_p_of_a_perfect_ranking_worked_out_by_hand(count: int, p: float) -> None:
    values = [float(value) for value in range(count)]
    assert least_p(count) == pytest.approx(p)
    assert permutation_p(values, values)[0] == pytest.approx(p)


def test_many_things_have_p_from_drawn_permutations() -> None:
    x, y = np.random.default_rng(1).normal(size=(2, 12))
    p, method = permutation_p(x.tolist(), y.tolist())
    assert p == pytest.approx(stats.kendalltau(x, y, method="exact").pvalue, abs=0.02)
    assert "drawn" in method


@pytest.mark.parametrize("values", [([], []), ([1.0], [2.0]), ([1.0, 1.0], [1.0, 2.0])])
def test_what_does_not_vary_has_no_correlation(values: tuple[list[float], list[float]]) -> None:
    assert kendall_tau(*values) is None
    assert weighted_tau(*values) is None
