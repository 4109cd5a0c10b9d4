"""Metrics of predicted probabilities, from sums over examples and calibration bins.

Fields are `n`, `nll`, `brier`, `entropy` (*), and `bin_count`, `bin_correct`, `bin_confidence`
(*, B). Where no example was scored everything is NaN.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ftcore import Statistics
from ftcore.default_plugins.classification_metrics.by_class import divide


def mean_of(name: str, statistics: Statistics) -> Tensor:
    """Return the mean of a summed field, (*)."""
    return divide(statistics.fields[name], statistics.fields["n"])


def nll(statistics: Statistics) -> Tensor:
    """Mean negative log-likelihood in nats, (*): scikit-learn's log_loss."""
    return mean_of("nll", statistics)


def perplexity(statistics: Statistics) -> Tensor:
    """exp(nll), (*)."""
    return nll(statistics).exp()


def entropy(statistics: Statistics) -> Tensor:
    """Mean entropy of the predicted distributions in nats, (*)."""
    return mean_of("entropy", statistics)


def brier(statistics: Statistics) -> Tensor:
    """Mean squared error of the probabilities (Brier 1950), (*).

    Summed over the classes, from 0 to 2; for two classes half of that, which is the error of one
    class's probability: scikit-learn's brier_score_loss in both cases.
    """
    scale = 0.5 if statistics.fields["support"].size(-1) == 2 else 1.0
    return scale * mean_of("brier", statistics)


def ece(statistics: Statistics) -> Tensor:
    """Expected calibration error over bins of equal width, (*); Guo et al. 2017, arXiv:1706.04599.

    Biased upwards where bins hold few examples (Kumar et al. 2019, arXiv:1909.10155).
    """
    fields = statistics.fields
    gaps = (fields["bin_correct"] - fields["bin_confidence"]).abs()
    return divide(gaps.sum(-1), fields["bin_count"].sum(-1))


def mce(statistics: Statistics) -> Tensor:
    """Largest calibration error of a bin that holds an example, (*); Guo et al. 2017."""
    fields = statistics.fields
    gaps = (fields["bin_correct"] - fields["bin_confidence"]).abs()
    largest = divide(gaps, fields["bin_count"], empty=0.0).amax(-1)
    return torch.where(fields["bin_count"].sum(-1) > 0, largest, math.nan)
