from __future__ import annotations

from dataclasses import replace

import pytest

from ftcore.errors import UsageError
from ftcore.studies.depths import choose_depths, depths_of
from tests.tiny import make_backbone

DEPTHS = depths_of(make_backbone())


def test_each_stage_with_parameters_makes_a_depth_and_pooling_does_not() -> None:
    assert [(each.frozen, each.stage, each.below, each.freeze) for each in DEPTHS] == [
        (0, "", 0, "none"),
        (1, "stem", 1, "bottom:1"),
        (2, "middle", 2, "bottom:2"),
        (3, "top", 3, "bottom"),
    ]


def test_a_stage_without_parameters_in_between_is_skipped() -> None:
    tiny = make_backbone()
    stem, middle, top, pool = tiny.stages
    depths = depths_of(replace(tiny, stages=(stem, replace(pool, name="in"), middle, top, pool)))
    assert [(each.freeze, each.below) for each in depths] == [
        ("none", 0),
        ("bottom:1", 1),
        ("bottom:2", 3),
        ("bottom", 4),
    ]


@pytest.mark.parametrize(
    ("asked", "frozen"),
    [
        ("", [0, 1, 2, 3]),
        ("0,2,all", [0, 2, 3]),
        ("all, 0", [0, 3]),
        ("3,1,1", [1, 3]),
        ("0,middle", [0, 2]),
    ],
)
def test_depths_can_be_chosen(asked: str, frozen: list[int]) -> None:
    assert [each.frozen for each in choose_depths(DEPTHS, asked)] == frozen


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("0,4", "'4' is no number of stages from 0 to 3"),
        ("0,-1", "'-1' is no number"),
        ("0,pool", "stem, middle, top"),
        ("0,", "'' is no number"),
        ("2", "is one depth"),
        ("all,3", "is one depth"),
    ],
)
def test_what_is_no_depth_is_refused(asked: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        choose_depths(DEPTHS, asked)
