from __future__ import annotations

import pytest

from ftcore.studies.ranking.pareto import undominated


@pytest.mark.parametrize(
    ("costs", "scores", "expected"),
    [
        ([1, 2, 3], [1, 2, 3], [True, True, True]),
        ([1, 2, 3], [3, 2, 1], [True, False, False]),
        ([1, 1], [2, 2], [True, True]),  # equals do not beat each other
        ([1, 1, 2], [1, 2, 2], [False, True, False]),  # as good in one, worse in the other
        ([1, None, 2], [1, 9, None], [True, False, False]),
        ([], [], []),
    ],
)
def test_what_no_other_beats_in_both(
    costs: list[float | None], scores: list[float | None], expected: list[bool]
) -> None:
    assert undominated(costs, scores) == expected
