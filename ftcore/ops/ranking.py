"""How well scores rank positives above negatives, from histograms of both.

Each function takes counts of positives and of negatives (*, B), in bins that rise with the score,
and returns values (*): what is to be expected if the scores within a bin are in random order, and a
bound on how far the value of the scores themselves may be from that, ties or not. Where no two
examples share a bin, the value is exact. NaN means undefined.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class BinnedValue(NamedTuple):
    """A value computed from bins, and the most by which the binning may have moved it."""

    value: Tensor
    bound: Tensor


def auroc(positives: Tensor, negatives: Tensor) -> BinnedValue:
    """Return the area under the ROC curve: the share of pairs that are in order.

    A pair in one bin counts one half, as ties do (Mann & Whitney 1947); its true order may add or
    take away the other half. Undefined without positives or without negatives.
    """
    below = negatives.cumsum(-1) - negatives
    pairs = positives.sum(-1).double() * negatives.sum(-1).double()
    tied = positives.double() * negatives.double() / 2
    ordered = (positives.double() * below.double()).sum(-1) + tied.sum(-1)
    return BinnedValue(_ratio(ordered, pairs), _ratio(tied.sum(-1), pairs))


def average_precision(positives: Tensor, negatives: Tensor) -> BinnedValue:
    """Return the average precision: the mean over positives of the precision at their score.

    Undefined without positives. Within a bin, each of its a positives is taken to have its mean
    share of the c negatives before it: the i-th one i c / (a + 1).

    With F negatives and T positives above a bin that has a positives and c negatives, its i-th
    positive has a precision of at least (T + i) / (T + i + F + c), and at most
    (T + a) / (T + a + F). The sum of the former over i = 1..a is at least a times its first term,
    and at least a - (F + c) log(1 + a / (T + F + c + 1/2)), by the inequality of Hermite and
    Hadamard for 1 / x.
    """
    a, c = positives.double(), negatives.double()
    at_least, false = (
        given.flip(-1).cumsum(-1).flip(-1).double() for given in (positives, negatives)
    )
    above = at_least - a
    pace = 1 + c / (a + 1)  # examples for each positive, within a bin
    start = (above + false - c) / pace
    middle = (a + (above - start) * _harmonic(start, a)) / pace
    highest = a * _precision(at_least, false - c)
    first = a * _precision(above + 1, false)
    lowest = torch.maximum(first, a - false * torch.log1p(a / (above + false + 0.5)))
    total = at_least[..., 0]
    bound = torch.maximum((highest - middle).sum(-1), (middle - lowest).sum(-1))
    return BinnedValue(_ratio(middle.sum(-1), total), _ratio(bound.clamp_min(0.0), total))


def _ratio(part: Tensor, whole: Tensor) -> Tensor:
    return (part / whole).where(whole > 0, torch.nan)


def _precision(true: Tensor, false: Tensor) -> Tensor:
    return true / (true + false).clamp_min(1.0)  # 0 of 0 is 0: there is no positive to weigh it


def _harmonic(start: Tensor, count: Tensor) -> Tensor:
    # The sum of 1 / (start + i) over i = 1..count. The difference of two nearly equal digammas
    # loses digits where the logarithm, off by 1 part in 24 start^2, is as good.
    exact = torch.digamma(start + count + 1) - torch.digamma(start + 1)
    return exact.where(start < 1e4, torch.log1p(count / (start + 0.5)))
