"""AUROC and average precision of resampled examples, against scikit-learn on the drawn ones."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from ftcore import DataError, resampling
from tests.resampling import oracle
from tests.resampling.data import Bools, Floats, groups_of, scored

SEED = 17
METRICS = {
    "auroc": (resampling.bootstrap_auroc, roc_auc_score),
    "average precision": (resampling.bootstrap_average_precision, average_precision_score),
}

Indices = NDArray[np.int64]


def of_drawn(name: str, scores: Floats, is_positive: Bools) -> Callable[[Indices], float]:
    """Return the metric of drawn examples, NaN where it has no meaning."""
    score = METRICS[name][1]

    def value(drawn: Indices) -> float:
        truth = is_positive[drawn]
        is_defined = truth.any() and (name != "auroc" or not truth.all())
        return float(score(truth, scores[drawn])) if is_defined else math.nan

    return value


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("has_ties", [False, True])
@pytest.mark.parametrize("examples", [1, 2, 3, 8, 300])
def test_replicates_are_those_of_scikit_learn(name: str, has_ties: bool, examples: int) -> None:
    scores, is_positive = scored(examples, has_ties=has_ties)
    found = METRICS[name][0](scores, is_positive, 20, SEED)
    value = of_drawn(name, scores, is_positive)
    expected = oracle.bootstrapped(value, examples, 20, SEED)
    assert found == pytest.approx(expected, abs=1e-12, nan_ok=True)


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("name", METRICS)
def test_groups_are_drawn_whole(name: str) -> None:
    scores, is_positive = scored(90, has_ties=True)
    groups = groups_of(90)
    found = METRICS[name][0](scores, is_positive, 20, SEED, groups=groups)
    value = of_drawn(name, scores, is_positive)
    assert found == pytest.approx(oracle.bootstrapped(value, 90, 20, SEED, groups), abs=1e-12)


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("name", METRICS)
def test_columns_share_their_draws(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bootstrap = METRICS[name][0]
    columns = [scored(40, seed) for seed in range(5)]
    scores, is_positive = (np.stack(part, axis=1) for part in zip(*columns, strict=True))
    expected = np.stack([bootstrap(*column, 20, SEED) for column in columns], axis=1)
    assert np.array_equal(bootstrap(scores, is_positive, 20, SEED), expected)
    monkeypatch.setattr("ftcore.resampling.ranking._HELD", 80)  # two columns at once
    assert np.array_equal(bootstrap(scores, is_positive, 20, SEED), expected)


@pytest.mark.usefixtures("kernel")
def test_infinite_scores_rank_first_and_last() -> None:
    found = resampling.bootstrap_auroc([math.inf, 1e300, -math.inf], [1, 1, 0], 50, SEED)
    assert set(found[~np.isnan(found)].tolist()) == {1.0}


@pytest.mark.usefixtures("kernel")
def test_one_class_alone_is_undefined() -> None:
    scores = scored(9)[0]
    assert np.isnan(resampling.bootstrap_auroc(scores, np.ones(9), 5, 0)).all()
    assert np.isnan(resampling.bootstrap_auroc(scores, np.zeros(9), 5, 0)).all()
    assert np.isnan(resampling.bootstrap_average_precision(scores, np.zeros(9), 5, 0)).all()
    assert resampling.bootstrap_average_precision(scores, np.ones(9), 5, 0).tolist() == [1.0] * 5
    assert np.isnan(resampling.permutation_auroc([scores, scores], np.ones(9), 5, 0)).all()


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("groups", [None, groups_of(60)])
@pytest.mark.parametrize("has_ties", [False, True])
def test_permutation_swaps_the_ranks_of_units(groups: list[int] | None, has_ties: bool) -> None:
    first, is_positive = scored(60, has_ties=has_ties)
    second = 100 * first + np.random.default_rng(3).normal(size=60)  # on another scale
    pair = np.stack([first, second])
    ranks = np.array([oracle.ranks(row) for row in pair.tolist()])
    expected = []
    for replicate in range(20):
        swapped = oracle.permuted(ranks, replicate, SEED, groups)
        expected.append(np.subtract(*(roc_auc_score(is_positive, row) for row in swapped)))
    found = resampling.permutation_auroc(pair, is_positive, 20, SEED, groups=groups)
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.usefixtures("kernel")
def test_permutation_of_a_model_with_itself_makes_no_difference() -> None:
    scores, is_positive = scored(50, has_ties=True)
    found = resampling.permutation_auroc([scores, 3 * scores], is_positive, 20, SEED)
    assert found.tolist() == [0.0] * 20


@pytest.mark.usefixtures("kernel")
def test_one_seed_pairs_two_models() -> None:
    scores, is_positive = scored(200)
    better = scores + 0.1 * is_positive
    paired = [resampling.bootstrap_auroc(each, is_positive, 500, 4) for each in (better, scores)]
    other = resampling.bootstrap_auroc(scores, is_positive, 500, 5)
    assert np.std(paired[0] - paired[1]) < 0.3 * np.std(paired[0] - other)


@pytest.mark.parametrize("bootstrap", [metric[0] for metric in METRICS.values()])
@pytest.mark.parametrize(
    ("scores", "is_positive", "words"),
    [
        ([0.1, math.nan], [0, 1], r"scores\[1\] is nan"),
        ([[0.1, 0.2], [0.3, math.nan]], [[0, 1], [1, 0]], r"scores\[\(1, 1\)\] is nan"),
        ([0.1, 0.2], [0, 1, 1], r"is_positive has shape \(3,\), but scores asks for \(2,\)"),
        ([0.1, 0.2], [0, 2], "is_positive holds 2"),
        ([], [], "there are 0 units"),
        (0.5, True, r"scores have shape \(\)"),
    ],
)
def test_what_cannot_be_ranked_is_refused(
    bootstrap: Callable[..., Floats], scores: object, is_positive: object, words: str
) -> None:
    with pytest.raises(DataError, match=words):
        bootstrap(scores, is_positive, 5, 0)


@pytest.mark.parametrize(
    ("scores", "is_positive", "words"),
    [
        ([0.1, 0.2], [0, 1], r"scores have shape \(2,\); it must be \(2, N\)"),
        ([[0.1, 0.2, 0.3]] * 3, [0, 1, 1], r"scores have shape \(3, 3\)"),
        ([[0.1, 0.2]] * 2, [0, 1, 1], r"is_positive has shape \(3,\)"),
        ([[0.1, math.nan]] * 2, [0, 1], r"scores\[\(0, 1\)\] is nan"),
    ],
)
def test_what_cannot_be_permuted_is_refused(
    scores: list[list[float]], is_positive: list[int], words: str
) -> None:
    with pytest.raises(DataError, match=words):
        resampling.permutation_auroc(scores, is_positive, 5, 0)


def test_groups_of_which_a_replicate_could_be_too_large_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ftcore.resampling.ranking.MOST_EXAMPLES", 150)
    scores, is_positive = scored(60)
    groups = [0] * 50 + list(range(1, 11))
    with pytest.raises(DataError, match="the largest of 11 groups has 50 examples"):
        resampling.bootstrap_auroc(scores, is_positive, 5, 0, groups=groups)
