"""Which backbones are not dominated: no other is as good in both cost and score, better in one."""

from __future__ import annotations

from collections.abc import Sequence


def undominated(costs: Sequence[float | None], scores: Sequence[float | None]) -> list[bool]:
    """Return for each whether no other costs at most as much and scores at least as high.

    Two that are equal in both are both kept. What has no cost or no score is never among them.
    """
    points = list(zip(costs, scores, strict=True))
    return [not any(_dominates(other, point) for other in points) for point in points]


def _dominates(
    other: tuple[float | None, float | None], point: tuple[float | None, float | None]
) -> bool:
    cost, score = point
    if cost is None or score is None:
        return True
    if other[0] is None or other[1] is None:
        return False
    return other[0] <= cost and other[1] >= score and other != point
