"""Ratios and means of resampled units, against plain sums over the drawn ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ftcore import DataError, resampling
from tests.resampling import oracle
from tests.resampling.data import Floats, groups_of

SEED = 23


def spans(units: int) -> tuple[Floats, Floats]:
    """Return what right spans count, and all of them, in sentences of which some have none."""
    generator = np.random.default_rng(2)
    denominators = generator.integers(0, 6, units).astype(float)
    return np.floor(denominators * generator.random(units)), denominators


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("groups", [None, groups_of(50)])
def test_a_ratio_is_one_of_sums(groups: list[int] | None) -> None:
    numerators, denominators = spans(50)
    found = resampling.bootstrap_ratio(numerators, denominators, 20, SEED, groups=groups)
    expected = oracle.bootstrapped(
        lambda drawn: numerators[drawn].sum() / denominators[drawn].sum(), 50, 20, SEED, groups
    )
    assert found.tolist() == expected  # sums of small integers are exact


@pytest.mark.usefixtures("kernel")
def test_columns_share_their_draws_and_may_share_a_denominator() -> None:
    numerators, denominators = spans(30)
    both = np.stack([numerators, denominators - numerators], axis=1)
    found = resampling.bootstrap_ratio(both, denominators, 20, SEED)
    again = resampling.bootstrap_ratio(both, np.stack([denominators] * 2, axis=1), 20, SEED)
    alone = resampling.bootstrap_ratio(numerators, denominators, 20, SEED)
    assert found.shape == (20, 2)
    assert np.array_equal(found, again)
    assert np.array_equal(found[:, 0], alone)
    assert found.sum(axis=1) == pytest.approx(1)


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("groups", [None, groups_of(50)])
def test_means_of_drawn_units(groups: list[int] | None) -> None:
    values = np.random.default_rng(0).normal(size=50)
    found = resampling.bootstrap_mean(values, 20, SEED, groups=groups)
    expected = oracle.bootstrapped(lambda drawn: values[drawn].mean(), 50, 20, SEED, groups)
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.usefixtures("kernel")
def test_the_spread_of_a_mean_is_its_standard_error() -> None:
    values = np.random.default_rng(0).normal(size=400)
    found = resampling.bootstrap_mean(values, 4000, SEED)
    assert found.mean() == pytest.approx(values.mean(), abs=0.005)
    assert found.std() == pytest.approx(values.std() / 20, rel=0.05)


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("groups", [None, groups_of(50)])
def test_permutation_swaps_what_models_have_in_a_unit(groups: list[int] | None) -> None:
    numerators, denominators = spans(50)
    pair = np.stack([np.stack([numerators, denominators], -1), np.stack(spans(50)[::-1], -1) + 1])
    expected = []
    for replicate in range(20):
        first, second = oracle.permuted(pair, replicate, SEED, groups).sum(axis=1)
        expected.append(first[0] / first[1] - second[0] / second[1])
    found = resampling.permutation_ratio(pair[..., 0], pair[..., 1], 20, SEED, groups=groups)
    assert found.tolist() == expected


@pytest.mark.usefixtures("kernel")
def test_permutation_with_one_denominator_for_both_models() -> None:
    wrong, words = spans(40)
    pair = np.stack([wrong, words - wrong])
    found = resampling.permutation_ratio(pair, words, 20, SEED)
    assert np.array_equal(found, resampling.permutation_ratio(pair, [words, words], 20, SEED))


@pytest.mark.usefixtures("kernel")
def test_nothing_to_divide_by_is_undefined() -> None:
    found = resampling.bootstrap_ratio([1, 1], [0, 1], 40, SEED)
    counts = resampling.draws(2, 40, SEED)
    expected = [2 / one if one else math.nan for one in counts[:, 1].tolist()]
    assert found == pytest.approx(expected, nan_ok=True)
    assert np.isnan(found).any()
    assert np.isnan(resampling.permutation_ratio([[1, 1], [0, 1]], [0, 0], 5, SEED)).all()


@pytest.mark.usefixtures("kernel")
def test_zero_has_no_sign() -> None:
    found = resampling.bootstrap_mean([-1.0, 0.0, 0.0], 50, SEED)
    assert not np.signbit(found[found == 0]).any()


@pytest.mark.parametrize(
    ("numerators", "denominators", "words"),
    [
        ([1, math.nan], [1, 1], r"numerators\[1\] is nan"),
        ([1, 2], [1, math.inf], r"denominators\[1\] is inf"),
        ([1, 2], [1, 1, 1], r"denominators has shape \(3,\), but numerators asks for \(2,\)"),
        ([[[1]]], [1], r"numerators have shape \(1, 1, 1\)"),
        ([], [], "there are 0 units"),
    ],
)
def test_what_is_no_ratio_is_refused(
    numerators: list[float], denominators: list[float], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        resampling.bootstrap_ratio(numerators, denominators, 5, 0)


def test_what_cannot_be_permuted_is_refused() -> None:
    with pytest.raises(DataError, match=r"numerators have shape \(3,\); it must be \(2, N\)"):
        resampling.permutation_ratio([1, 2, 3], [1, 2, 3], 5, 0)
    with pytest.raises(DataError, match=r"denominators has shape \(2, 2\)"):
        resampling.permutation_ratio([[1, 2, 3]] * 2, [[1, 2]] * 2, 5, 0)
