"""Where the variance of a score comes from: test examples, seeds, or training sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class VarianceParts:
    """Variances of a single run's score; None where the runs cannot tell."""

    sampling: float  # from which test examples there happen to be
    seed: float | None
    fold: float | None  # from the training set
    total: float | None  # of a run on a new training set, with a new seed, on new test examples
    notes: tuple[str, ...] = ()


def variance_parts(
    values: ArrayLike,
    sampling_variance: ArrayLike,
    mean_sampling_variance: ArrayLike | None = None,
) -> VarianceParts:
    """Split the variance of scores (K folds, S seeds) by the method of moments.

    `sampling_variance` is that of each run's score over draws of its test examples, (K, S) or one
    number for all; `mean_sampling_variance`, (K,) or one number, that of the mean over a fold's
    seeds, on the same draws: it says how much of the sampling error the seeds of a fold share.
    Without it they are taken to share all.

    The model is value[k, s] = mu + fold_k + seed_ks + sampling_ks, where a fold's seeds have the
    same test examples, so that their sampling errors, each of variance v, have a covariance c.
    With W the mean over folds of the variance over seeds, and B the variance over folds of the
    mean over seeds, both with the usual degrees of freedom,

        E W = seed + v - c
        E B = fold + seed / S + c + (v - c) / S

    and the mean over seeds has the sampling variance m = c + (v - c) / S, whence
    c = (S m - v) / (S - 1). So seed = W - (v - c), fold = B - W / S - c, and the total,
    fold + seed + v = B + W (1 - 1 / S), does not depend on c. Taking c = v moves what seeds and
    test examples make together, v - c, from fold to seed.

    The folds of a cross-validation share most of their training examples, so that `fold` is less
    than independent training sets would differ by (Bengio & Grandvalet 2004, JMLR 5).
    An estimate below 0 is reported as 0, and said in `notes`; the parts then exceed the total.
    """
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 2 or scores.size == 0 or not np.isfinite(scores).all():
        raise ValueError(f"scores are finite numbers (folds, seeds), not {scores.tolist()}")
    folds, seeds = scores.shape
    v = float(np.broadcast_to(np.asarray(sampling_variance, np.float64), scores.shape).mean())
    if not v >= 0:
        raise ValueError(f"the sampling variance is {v}; it must be 0 or more")
    between = float(scores.mean(axis=1).var(ddof=1)) if folds > 1 else None
    if seeds == 1:
        return VarianceParts(v, None, None, between)
    within, shared = float(scores.var(axis=1, ddof=1).mean()), v
    if mean_sampling_variance is not None:
        of_mean = float(np.mean(np.asarray(mean_sampling_variance, np.float64)))
        shared = min(v, max(0.0, (seeds * of_mean - v) / (seeds - 1)))
    notes: list[str] = []
    seed = _at_least_0("seed", within - (v - shared), notes)
    if between is None:
        return VarianceParts(v, seed, None, None, tuple(notes))
    fold = _at_least_0("fold", between - within / seeds - shared, notes)
    return VarianceParts(v, seed, fold, between + within * (1 - 1 / seeds), tuple(notes))


def _at_least_0(name: str, estimate: float, notes: list[str]) -> float:
    if estimate < 0:
        notes.append(f"the estimate of {name} is {estimate:.3g}, below 0, and reported as 0")
    return max(0.0, estimate)
