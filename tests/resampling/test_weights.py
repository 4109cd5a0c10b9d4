"""Draws and swaps: a function of (seed, replicate, place), each unit as likely as any other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftcore import UsageError, resampling
from ftcore.resampling import philox
from tests.resampling import oracle

SEED = 0x0123456789ABCDEF
SIZES = (1, 2, 3, 5, 127, 128, 129, 255, 256, 257, 700)


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("units", SIZES)
def test_draws_are_those_of_the_oracle(units: int) -> None:
    counts = resampling.draws(units, 2, SEED, first=3)
    for row, replicate in zip(counts, (3, 4), strict=True):
        drawn = oracle.draws(units, replicate, SEED)
        assert row.tolist() == np.bincount(drawn, minlength=units).tolist()


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("units", SIZES)
def test_swaps_are_those_of_the_oracle(units: int) -> None:
    swapped = resampling.swaps(units, 2, SEED, first=3)
    assert swapped.tolist() == [oracle.swaps(units, replicate, SEED) for replicate in (3, 4)]


@given(st.integers(1, 400), st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 2))
def test_any_draw_in_numpy_is_that_of_the_oracle(units: int, seed: int, replicate: int) -> None:
    drawn = philox.drawn_units(units, np.array([replicate]), seed)
    assert drawn.tolist() == [oracle.draws(units, replicate, seed)]


def test_a_rejected_word_gives_way_to_that_of_the_next_attempt() -> None:
    units, seed = 1_500_000, 5
    blocks = np.arange(units // 4, dtype=np.uint64)
    replicate, zero = np.full_like(blocks, 2), np.zeros_like(blocks)
    words = philox.philox4x32((blocks, replicate, zero, zero), seed)
    rest = np.stack(words, -1).ravel() * np.uint64(units) & np.uint64(0xFFFFFFFF)
    rejected = np.flatnonzero(rest < 2**32 % units)
    drawn = philox.drawn_units(units, np.array([2]), seed)[0]
    assert len(rejected) > 100
    for place in rejected[:100].tolist():
        assert drawn[place] == oracle.draw(units, 2, place, seed)


@pytest.mark.usefixtures("kernel")
def test_replicates_can_be_made_a_few_at_a_time() -> None:
    whole = resampling.draws(300, 7, 1)
    parts = [resampling.draws(300, 3, 1), resampling.draws(300, 4, 1, first=3)]
    assert np.array_equal(whole, np.concatenate(parts))
    assert np.array_equal(whole.sum(axis=1), np.full(7, 300))


@pytest.mark.usefixtures("kernel")
def test_units_are_equally_likely_and_swaps_are_fair() -> None:
    # The number of times a unit is drawn is binomial: 5 standard deviations.
    counts = resampling.draws(7, 20_000, 11).sum(axis=0)
    assert np.abs(counts - 20_000).max() < 5 * (20_000 * 6 / 7) ** 0.5
    swapped = resampling.swaps(7, 20_000, 11).sum(axis=0)
    assert np.abs(swapped - 10_000).max() < 5 * (20_000 / 4) ** 0.5


def test_seeds_differ() -> None:
    rows = {resampling.draws(50, 1, seed).tobytes() for seed in (0, 1, 2**32, 2**64 - 1)}
    assert len(rows) == 4


@pytest.mark.parametrize("first", [-1, 2**32 - 1])
def test_numbers_of_replicates_beyond_32_bits_are_refused(first: int) -> None:
    with pytest.raises(UsageError, match="numbered below 2\\^32"):
        resampling.draws(5, 1, 0, first=first)
