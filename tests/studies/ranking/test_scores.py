from __future__ import annotations

import math
import typing

import numpy as np
import pytest

from ftcore.studies.ranking.config import ScoreName
from ftcore.studies.ranking.scores import NAMES, knn_accuracy, leep, nce, score
from tests.studies.ranking import oracle
from tests.studies.ranking.data import CASES, Case

AS_MADE = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@AS_MADE
def test_leep_nce_and_neighbours_are_what_loops_compute(case: Case) -> None:
    guesses = case.source.argmax(axis=1)
    assert leep(case.source, case.targets) == pytest.approx(
        oracle.leep(case.source, case.targets), abs=1e-9
    )
    assert nce(guesses, case.targets) == pytest.approx(oracle.nce(guesses, case.targets), abs=1e-9)
    for neighbours in (1, 2, 5):
        assert knn_accuracy(case.features, case.targets, neighbours) == oracle.knn_accuracy(
            case.features, case.targets, neighbours
        )


@AS_MADE
def test_all_scores_come_in_order_and_finite(case: Case) -> None:
    result = score(case.features, case.targets, case.source)
    assert list(result.values) == list(NAMES)
    assert all(value is not None and math.isfinite(value) for value in result.values.values())
    assert not result.reasons


def test_the_options_name_every_score() -> None:
    assert typing.get_args(ScoreName) == NAMES


def test_without_a_head_leep_and_nce_are_undefined_and_say_why() -> None:
    case = CASES["two classes"]
    result = score(case.features, case.targets, None, "no head")
    assert result.reasons == {"leep": "no head", "nce": "no head"}
    assert result.values["leep"] is None
    assert result.values["logme"] is not None


def test_features_that_do_not_vary_have_no_h_score() -> None:
    result = score(np.ones((6, 3)), np.array([0, 1] * 3), None, "no head")
    assert {name for name, value in result.values.items() if value is None} == {
        "h_score",
        "regularized_h_score",
        "transrate",
        "leep",
        "nce",
    }
    assert "the same" in result.reasons["h_score"]


def test_zero_features_break_nothing() -> None:
    result = score(np.zeros((6, 3)), np.array([0, 1] * 3), None, "no head")
    assert result.values["logme"] is not None
    assert math.isfinite(result.values["logme"])


def test_nce_of_a_table_worked_out_by_hand() -> None:
    guesses = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    targets = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    # In each column 3 of 4 are of one class: H(Y | Z) = -(3/4 log 3/4 + 1/4 log 1/4).
    assert nce(guesses, targets) == pytest.approx(0.75 * math.log(0.75) + 0.25 * math.log(0.25))


@pytest.mark.parametrize(
    ("sure", "expected"),
    [
        (1.0, 0.0),  # the head knows the classes
        (0.5, math.log(0.5)),  # it knows nothing: what is left is the entropy of the classes
        (0.8, math.log(0.8 * 0.8 + 0.2 * 0.2)),  # p(y = z | z) = 0.8, weighed by 0.8 and 0.2
    ],
)
def test_leep_of_a_head_for_the_same_classes(sure: float, expected: float) -> None:
    targets = np.array([0, 1] * 5)
    source = np.where(targets[:, None] == np.arange(2), sure, 1 - sure)
    assert leep(source, targets) == pytest.approx(expected, abs=1e-12)


def test_leep_of_one_sure_guess_each_is_nce() -> None:
    """Nguyen et al. 2020, section 3: with a head that is certain, both are the same."""
    case = CASES["unequal classes"]
    guesses = case.source.argmax(axis=1)
    assert leep(np.eye(4)[guesses], case.targets) == pytest.approx(nce(guesses, case.targets))


def test_the_vote_of_neighbours_worked_out_by_hand() -> None:
    # On a circle, at degrees; the nearest of each is of its class but for the one at 38.
    degrees = np.array([0, 1, 38, 41, 42, 90, 91])
    angles = np.deg2rad(degrees)
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1) * degrees[:, None].clip(1)
    targets = np.array([0, 0, 0, 1, 1, 2, 2])
    assert knn_accuracy(features, targets, 1) == pytest.approx(6 / 7)


def test_neighbours_are_fewer_where_there_are_no_more() -> None:
    assert knn_accuracy(np.array([[1.0, 0], [1, 0.1], [0, 1]]), np.array([0, 0, 1]), 5) == (
        pytest.approx(2 / 3)
    )
