"""Metrics over all thresholds of a score, from the rows `scores` and `target`.

Rows are scores (N, 1) or (N, C), targets (N,) and, for replicates, `weight` (*, N): how often each
example counts. More than two classes are averaged one against the rest, over the classes for which
the metric is defined; that is scikit-learn's macro average where all of them occur.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ftcore import DataError, Statistics, resampling
from ftcore.default_plugins.classification_metrics.by_class import divide


def auroc(statistics: Statistics) -> Tensor:
    """Area under the receiver operating characteristic, (*): P(positive above negative).

    A tie counts one half (Hanley & McNeil 1982, Radiology 143). NaN where no example is positive,
    or none is negative.
    """
    return _over_classes(statistics, _area)


def average_precision(statistics: Statistics) -> Tensor:
    """Sum over the thresholds of precision times the step in recall, (*).

    Without interpolation, as in scikit-learn. NaN where no example is positive.
    """
    return _over_classes(statistics, _mean_precision)


def bootstrap_auroc(statistics: Statistics, count: int, seed: int) -> NDArray[np.float64]:
    """Return `auroc` of bootstrap replicates, (count,)."""
    return _bootstrap(statistics, resampling.bootstrap_auroc, count, seed)


def bootstrap_average_precision(
    statistics: Statistics, count: int, seed: int
) -> NDArray[np.float64]:
    """Return `average_precision` of bootstrap replicates, (count,)."""
    return _bootstrap(statistics, resampling.bootstrap_average_precision, count, seed)


@dataclass(frozen=True)
class _Ranking:
    """Each of P positive examples among all of them, ordered by score, the highest first.

    Weights, (*, P): its own, and those of positives and of all examples with a higher score
    (`above`) and with a score no lower (`upto`). An unweighted example weighs 1.
    """

    weight: Tensor
    positives_above: Tensor
    positives_upto: Tensor
    all_above: Tensor
    all_upto: Tensor
    total: Tensor  # weight of all examples, (*)

    @classmethod
    def of(cls, score: Tensor, is_positive: Tensor, weight: Tensor) -> _Ranking:
        """Rank scores (N,) with weights (*, N)."""
        falling, order = score.neg().sort(stable=True)
        is_positive = is_positive[order]
        chosen = _take(weight, order[is_positive])
        all_before, positives_before = _before(_take(weight, order)), _before(chosen)
        index = _before(is_positive.long())  # of positives, before each place
        first = torch.searchsorted(falling, falling[is_positive])
        after = torch.searchsorted(falling, falling[is_positive], right=True)
        return cls(
            chosen,
            _take(positives_before, index[first]),
            _take(positives_before, index[after]),
            _take(all_before, first),
            _take(all_before, after),
            all_before[..., -1],
        )


def _take(values: Tensor, index: Tensor) -> Tensor:
    # (*, N) at (P,) gives (*, P); several times faster than values[..., index].
    return values.gather(-1, index.expand(*values.shape[:-1], -1))


def _before(weight: Tensor) -> Tensor:
    # (*, N) to (*, N + 1): the sum of all before each place, and at last of all.
    return torch.cat([weight.new_zeros((*weight.shape[:-1], 1)), weight.cumsum(-1)], dim=-1)


def _over_classes(statistics: Statistics, metric: Callable[[_Ranking], Tensor]) -> Tensor:
    scores, target, weight = _scored(statistics)
    values = [
        metric(_Ranking.of(scores[:, column], target == positive, weight))
        for column, positive in enumerate(_positives(scores).tolist())
    ]
    return torch.stack(values).nanmean(dim=0)


def _bootstrap(
    statistics: Statistics,
    bootstrap: Callable[..., NDArray[np.float64]],
    count: int,
    seed: int,
) -> NDArray[np.float64]:
    if "weight" in statistics.rows:
        raise DataError("statistics with weights are replicates, which cannot be drawn from again")
    scores, target, _ = (part.cpu() for part in _scored(statistics))
    if len(target) == 0:
        return np.full(count, np.nan)
    is_positive = target.unsqueeze(-1) == _positives(scores)
    threads = torch.get_num_threads()
    values = bootstrap(scores.numpy(), is_positive.numpy(), count, seed, threads=threads)
    averaged: NDArray[np.float64] = torch.from_numpy(values).nanmean(dim=-1).numpy()
    return averaged


def _positives(scores: Tensor) -> Tensor:
    """Return the class that each column of the scores is for, (1,) or (C,)."""
    return torch.arange(scores.size(-1)) if scores.size(-1) > 1 else torch.ones(1).long()


def _scored(statistics: Statistics) -> tuple[Tensor, Tensor, Tensor]:
    """Return scores, targets and weights of the examples that were scored."""
    if "scores" not in statistics.rows:
        raise DataError(
            "these statistics keep no scores; make them with the task's `statistics` and "
            "`update_`, and name the metric's needs"
        )
    scores, target = statistics.rows["scores"], statistics.rows["target"]
    weight = statistics.rows.get("weight", torch.ones_like(target))
    is_scored = ~scores.isnan().any(-1)
    if is_scored.all():
        return scores, target, weight
    return scores[is_scored], target[is_scored], weight[..., is_scored]


def _area(ranking: _Ranking) -> Tensor:
    # Twice the area, in whole numbers, so that no order of summation matters.
    positives = ranking.weight.sum(-1)
    negatives = ranking.total - positives
    not_below = ranking.all_above + ranking.all_upto
    not_below -= ranking.positives_above + ranking.positives_upto
    doubled = (ranking.weight * (2 * negatives.unsqueeze(-1) - not_below)).sum(-1)
    return divide(doubled, 2 * positives * negatives)


def _mean_precision(ranking: _Ranking) -> Tensor:
    # A positive that was not drawn may have nothing at or above it, but its weight is 0.
    precision = divide(ranking.positives_upto, ranking.all_upto, empty=0.0)
    # cumsum adds up in order, on one thread for each replicate.
    total = (ranking.weight * precision).cumsum(-1)[..., -1:].sum(-1)
    return divide(total, ranking.weight.sum(-1))
