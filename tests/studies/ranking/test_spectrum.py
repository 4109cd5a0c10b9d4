from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ftcore.studies.ranking.spectrum import (
    Spectrum,
    centred,
    h_score,
    log_me,
    regularized_h_score,
    trans_rate,
)
from tests.studies.ranking import oracle
from tests.studies.ranking.data import CASES, Case

Floats = NDArray[np.float64]
AS_MADE = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def scores(features: Floats, targets: NDArray[np.int64]) -> dict[str, float]:
    shifted = centred(features)
    varied = Spectrum.of(shifted)
    return {
        "logme": log_me(Spectrum.of(features), targets),
        "h_score": h_score(varied, targets),
        "regularized_h_score": regularized_h_score(shifted, varied, targets),
        "transrate": trans_rate(shifted, varied, targets),
    }


@AS_MADE
@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("logme", oracle.log_me_by_iteration),
        ("h_score", oracle.h_score),
        ("regularized_h_score", oracle.regularized_h_score),
        ("transrate", oracle.trans_rate),
    ],
)
def test_scores_are_what_the_papers_write(case: Case, name: str, reference: object) -> None:
    assert callable(reference)
    expected = reference(case.features, case.targets)
    assert scores(case.features, case.targets)[name] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["two classes", "unequal classes"])
def test_logme_is_the_largest_density_that_a_search_finds(name: str) -> None:
    case = CASES[name]
    expected = oracle.log_me_by_search(case.features, case.targets)
    assert log_me(Spectrum.of(case.features), case.targets) == pytest.approx(expected, abs=1e-6)


def rotation(d: int) -> Floats:
    return np.linalg.qr(np.random.default_rng(5).normal(size=(d, d)))[0].astype(np.float64)


@AS_MADE
def test_rotated_features_have_equal_scores(case: Case) -> None:
    turned = case.features @ rotation(case.features.shape[1])
    assert scores(turned, case.targets) == pytest.approx(scores(case.features, case.targets))


@AS_MADE
def test_logme_and_h_scores_do_not_depend_on_the_unit_of_the_features(case: Case) -> None:
    small, large = (scores(unit * case.features, case.targets) for unit in (1e-3, 1e3))
    for name in ("logme", "h_score", "regularized_h_score"):
        assert small[name] == pytest.approx(large[name], abs=1e-7)
    assert small["transrate"] < large["transrate"]


def test_the_h_score_is_invariant_to_invertible_linear_maps_and_shifts() -> None:
    case = CASES["more examples than features"]
    matrix = np.random.default_rng(6).normal(size=(7, 7)) + 2 * np.eye(7)
    mapped = scores(case.features @ matrix - 11, case.targets)["h_score"]
    assert mapped == pytest.approx(scores(case.features, case.targets)["h_score"])


def test_the_h_score_of_more_features_than_examples_says_nothing_and_the_shrunk_one_does() -> None:
    case = CASES["more features than examples"]
    noise = np.random.default_rng(7).normal(size=case.features.shape)
    good, bad = (scores(features, case.targets) for features in (case.features, noise))
    assert good["h_score"] == pytest.approx(2.0)
    assert bad["h_score"] == pytest.approx(2.0)
    assert good["regularized_h_score"] > bad["regularized_h_score"]


def test_features_that_are_the_classes_have_the_largest_h_score() -> None:
    targets = np.array([0, 1, 2] * 4)
    assert scores(np.eye(3)[targets], targets)["h_score"] == pytest.approx(2.0)


def test_logme_of_features_that_tell_nothing_is_that_of_noise_around_zero() -> None:
    # The best alpha is infinite: each target is N(0, 1 / beta), and half of them are 1.
    features = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    targets = np.array([0, 0, 1, 1])
    expected = -0.5 * (np.log(2 * np.pi * 0.5) + 1)
    assert log_me(Spectrum.of(features), targets) == pytest.approx(expected, abs=1e-6)


def test_transrate_of_one_class_is_zero() -> None:
    case = CASES["two classes"]
    targets = np.zeros_like(case.targets)
    assert scores(case.features, targets)["transrate"] == pytest.approx(0.0, abs=1e-9)
