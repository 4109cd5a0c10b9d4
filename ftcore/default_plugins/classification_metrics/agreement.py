"""Metrics of the agreement of predictions and targets, from counts by class.

Fields are `n` (*), and `support`, `predicted`, `correct`, `rank` (*, C). Where no example was
scored everything is NaN.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ftcore import Statistics
from ftcore.default_plugins.classification_metrics.by_class import divide


def balanced_accuracy(statistics: Statistics) -> Tensor:
    """Mean recall over the classes that have examples, (*); Brodersen et al. 2010, ICPR."""
    correct, support = statistics.fields["correct"], statistics.fields["support"]
    return divide(divide(correct, support, empty=0.0).sum(-1), (support > 0).sum(-1))


def mcc(statistics: Statistics) -> Tensor:
    """Matthews' correlation for any number of classes, (*); Gorodkin 2004, R_K.

    0 where all targets or all predictions are one class, as in scikit-learn.
    """
    n, correct, support, predicted = _counts(statistics)
    covariance = n * correct - (support * predicted).sum(-1)
    spread = (n * n - support.square().sum(-1)) * (n * n - predicted.square().sum(-1))
    value = torch.where(spread > 0, covariance / spread.sqrt(), 0.0)
    return value.where(n > 0, math.nan)


def kappa(statistics: Statistics) -> Tensor:
    """Cohen's kappa, (*): agreement beyond chance; Cohen 1960.

    NaN where all targets and all predictions are one and the same class.
    """
    n, correct, support, predicted = _counts(statistics)
    by_chance = (support * predicted).sum(-1)
    return divide(n * correct - by_chance, n * n - by_chance)


def mrr(statistics: Statistics) -> Tensor:
    """Mean of 1 / (1 + rank) of the target, (*): the mean reciprocal rank."""
    rank = statistics.fields["rank"]
    places = torch.arange(1, rank.size(-1) + 1, device=rank.device)
    return divide((rank / places.double()).sum(-1), statistics.fields["n"])


def _counts(statistics: Statistics) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    # In float64, since products of three or four counts overflow int64.
    fields = statistics.fields
    correct = fields["correct"].sum(-1)
    return (
        fields["n"].double(),
        correct.double(),
        fields["support"].double(),
        fields["predicted"].double(),
    )
