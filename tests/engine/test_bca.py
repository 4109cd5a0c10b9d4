"""Intervals from replicates: scipy's BCa, and levels worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ftcore.engine.bca import bootstrap_interval

MANY = 10**9  # units, with which t is normal and nothing is lacking


def of_normal(count: int = 4001) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return stats.norm.ppf((np.arange(count) + 0.5) / count)  # type: ignore[no-any-return]


def test_symmetric_replicates_about_the_value_give_their_quantiles() -> None:
    low, high, name = bootstrap_interval(of_normal(), 0.0, MANY) or pytest.fail("no interval")
    assert (low, high) == pytest.approx((-1.96, 1.96), abs=0.003)
    assert name == "BCa bootstrap"


def test_few_units_widen_it_as_for_a_mean() -> None:
    # t(0.975) with 9 degrees of freedom, and a variance over n instead of n - 1.
    low, high, _ = bootstrap_interval(of_normal(), 0.0, 10) or pytest.fail("no interval")
    reach = 2.262157 * np.sqrt(10 / 9)
    assert (low, high) == pytest.approx((-reach, reach), abs=0.006)


def test_a_value_off_the_median_shifts_the_levels_twice() -> None:
    # A tenth of a standard deviation: levels of 0.2 - 1.96 and 0.2 + 1.96.
    low, high, _ = bootstrap_interval(of_normal(), 0.1, MANY) or pytest.fail("no interval")
    assert (low, high) == pytest.approx((0.2 - 1.96, 0.2 + 1.96), abs=0.01)


def test_bca_of_a_mean_is_near_that_of_scipy() -> None:
    generator = np.random.default_rng(0)
    sample = generator.exponential(size=60)
    drawn = sample[generator.integers(60, size=(20_000, 60))].mean(axis=1)
    low, high, _ = bootstrap_interval(drawn, float(sample.mean()), MANY) or pytest.fail("none")
    expected = stats.bootstrap(
        (sample,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(1)
    ).confidence_interval
    width = expected.high - expected.low
    assert low == pytest.approx(expected.low, abs=0.03 * width)
    assert high == pytest.approx(expected.high, abs=0.03 * width)
    # The percentile interval is further off.
    assert np.quantile(drawn, 0.975) < expected.high - 0.03 * width


def test_biased_replicates_are_reflected_about_the_value() -> None:
    drawn = 10 + of_normal()
    low, high, name = bootstrap_interval(drawn, 9.0, MANY) or pytest.fail("no interval")
    # Reflected they lie about 8; normal about 9.
    assert (low, high) == pytest.approx((8 - 1.96, 9 + 1.96), abs=0.003)
    assert name == "basic and normal bootstrap"


def test_an_end_stays_where_replicates_and_values_do() -> None:
    uniform = np.linspace(0.3, 0.5, 1001)
    low, high, _ = bootstrap_interval(uniform, 0.1, MANY) or pytest.fail("no interval")
    assert low == 0
    assert high < 0.3
    low, high, _ = bootstrap_interval(1 - uniform, 0.9, MANY) or pytest.fail("no interval")
    assert high == 1
    low, high, _ = bootstrap_interval(uniform - 0.4, -0.2, MANY) or pytest.fail("no interval")
    assert low < 0


def test_extreme_skewness_asks_for_the_outermost_replicate() -> None:
    drawn = np.concatenate([np.zeros(995), np.full(5, 1e6)])
    _, high, _ = bootstrap_interval(drawn, 5e3, MANY) or pytest.fail("no interval")
    assert high == 1e6


@pytest.mark.parametrize(("drawn", "units"), [([], 9), ([1.0], 9), ([1.0, 1.0], 9), ([1, 2], 1)])
def test_no_spread_no_interval(drawn: list[float], units: int) -> None:
    assert bootstrap_interval(np.array(drawn, dtype=np.float64), 1.0, units) is None
