"""The exact size of McNemar's test, beside all outcomes gone through one by one."""

from __future__ import annotations

from math import comb

import pytest

from benchmarks.coverage.families import _mcnemar
from ftcore.significance.paired import exact_p, mcnemar


def test_size_is_the_chance_of_all_outcomes_that_reject() -> None:
    n, share = 12, 0.7
    expected = {"McNemar mid-p": 0.0, "exact McNemar": 0.0}
    for total in range(n + 1):
        chance = comb(n, total) * share**total * (1 - share) ** (n - total)
        for first in range(total + 1):
            of_outcome = chance * comb(total, first) / 2**total
            pair = first, total - first
            expected["McNemar mid-p"] += of_outcome * (mcnemar(*pair).p <= 0.05)
            expected["exact McNemar"] += of_outcome * (exact_p(*pair) <= 0.05)
    found = {row["what"]: row["rejected"] for row in _mcnemar(n, share)}
    assert found == pytest.approx(expected, abs=1e-8)
    assert found["McNemar mid-p"] > found["exact McNemar"] > 0
