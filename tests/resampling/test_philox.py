"""Philox of both kernels against published vectors."""

from __future__ import annotations

import numpy as np
import pytest

from ftcore.resampling.library import functions
from tests.resampling import oracle
from tests.resampling.test_oracle import KNOWN_ANSWERS, words


@pytest.mark.usefixtures("kernel")
def test_known_answers() -> None:
    for counter, key, expected in KNOWN_ANSWERS:
        low, high = words(key)
        found = functions().philox4x32(np.array([words(counter)], np.uint32), high << 32 | low)
        assert found.tolist() == [words(expected)]


@pytest.mark.usefixtures("kernel")
def test_counters_of_all_bits() -> None:
    counters = np.random.default_rng(0).integers(2**32, size=(50, 4), dtype=np.uint32)
    expected = [oracle.philox4x32(counter, (5, 6)) for counter in counters.tolist()]
    assert functions().philox4x32(counters, 6 << 32 | 5).tolist() == expected
