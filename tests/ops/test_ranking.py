"""AUROC and average precision from histograms, against scikit-learn on the scores themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
import torch
from sklearn import metrics
from torch import Tensor

from ftcore import ops

Function: TypeAlias = Callable[..., Any]


def histograms(scores: Tensor, targets: Tensor, bins: Tensor) -> tuple[Tensor, Tensor]:
    size = int(bins.max()) + 1
    return (
        torch.bincount(bins[targets == 1], minlength=size),
        torch.bincount(bins[targets == 0], minlength=size),
    )


def random_scores(rows: int, share: float, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    targets = (torch.rand(rows, generator=generator) < share).long()
    return torch.randn(rows, generator=generator).double() + targets, targets


FUNCTIONS = [
    (ops.auroc, metrics.roc_auc_score),
    (ops.average_precision, metrics.average_precision_score),
]


@pytest.mark.parametrize(("function", "exact"), FUNCTIONS)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.95])
@pytest.mark.parametrize("rows", [70, 3000])
@pytest.mark.parametrize("width", [0.01, 0.3, 2.0, 100.0])
def test_the_value_of_the_scores_is_within_the_bound(
    function: Function, exact: Function, share: float, rows: int, width: float
) -> None:
    for seed in range(3):
        scores, targets = random_scores(rows, share, seed)
        bins = ((scores - scores.min()) / width).long()
        result = function(*histograms(scores, targets, bins))
        if targets.sum() in (0, rows):
            continue
        error = abs(result.value.item() - exact(targets.numpy(), scores.numpy()))
        assert error <= result.bound.item() + 1e-12


def test_the_area_is_exact_where_scores_are_as_coarse_as_bins() -> None:
    scores, targets = random_scores(500, 0.3, 0)
    bins = (4 * (scores - scores.min())).long()
    expected = metrics.roc_auc_score(targets.numpy(), bins.numpy())
    assert ops.auroc(*histograms(scores, targets, bins)).value.item() == pytest.approx(expected)


def test_average_precision_of_coarse_scores_is_within_the_bound() -> None:
    scores, targets = random_scores(500, 0.3, 0)
    bins = (4 * (scores - scores.min())).long()
    result = ops.average_precision(*histograms(scores, targets, bins))
    expected = metrics.average_precision_score(targets.numpy(), bins.numpy())
    assert abs(result.value.item() - expected) <= result.bound.item()


@pytest.mark.parametrize(("function", "exact"), FUNCTIONS)
def test_nothing_is_hidden_where_each_score_has_its_own_bin(
    function: Function, exact: Function
) -> None:
    scores, targets = random_scores(300, 0.3, 1)
    result = function(*histograms(scores, targets, scores.argsort().argsort()))
    expected = exact(targets.numpy(), scores.numpy())
    assert result.value.item() == pytest.approx(expected, rel=1e-11)
    assert result.bound.item() == pytest.approx(0, abs=1e-11)


@pytest.mark.parametrize(("function", "exact"), FUNCTIONS)
def test_bins_of_logits_hide_little(function: Function, exact: Function) -> None:
    scores, targets = random_scores(5000, 0.2, 2)
    state = ops.MultilabelLayout(1).empty()
    ops.multilabel_statistics_(state, scores[:, None], targets[:, None])
    result = function(state.fields["positives"][0], state.fields["negatives"][0])
    error = abs(result.value.item() - exact(targets.numpy(), scores.numpy()))
    assert error <= result.bound.item() <= 0.02
    assert error <= 1e-3  # far less, unless the order within bins is no accident


def test_three_bins_by_hand() -> None:
    # Pairs: 3 * 4 = 12; in order 2 * 3, tied 1 * 3 + 2 * 1, which count one half.
    positives, negatives = torch.tensor([1, 2, 0]), torch.tensor([3, 1, 0])
    area = ops.auroc(positives, negatives)
    assert area.value.item() == pytest.approx((6 + 2.5) / 12)
    assert area.bound.item() == pytest.approx(2.5 / 12)
    # Above, two positives with 1/3 and 2/3 of a negative before them; below, with 2 and 1 above it,
    # one with 3/2 of three. At best the precisions are 1, 1 and 3/4.
    average = ops.average_precision(positives, negatives)
    value = (1 / (1 + 1 / 3) + 2 / (2 + 2 / 3) + 3 / (3 + 1 + 3 / 2)) / 3
    assert average.value.item() == pytest.approx(value)
    assert average.bound.item() == pytest.approx((2 + 3 / 4) / 3 - value)


def test_many_examples_keep_their_digits() -> None:
    # A million of each in the bin above: every precision is i / (i + i m / (m + 1)).
    m = 10**6
    positives, negatives = torch.tensor([1, m]), torch.tensor([10**12, m])
    above, below = m * (m + 1) / (2 * m + 1), (m + 1) / (m + 1 + m + 10**12 / 2)
    result = ops.average_precision(positives, negatives)
    assert result.value.item() == pytest.approx((above + below) / (m + 1), rel=1e-12)


def test_leading_dimensions_are_kept_and_nan_means_undefined() -> None:
    positives = torch.tensor([[0, 0], [1, 2], [3, 0]])
    negatives = torch.tensor([[2, 1], [0, 0], [1, 1]])
    assert ops.auroc(positives, negatives).value.isnan().tolist() == [True, True, False]
    average = ops.average_precision(positives, negatives)
    assert average.value.isnan().tolist() == [True, False, False]
    assert average.bound.isnan().tolist() == [True, False, False]
