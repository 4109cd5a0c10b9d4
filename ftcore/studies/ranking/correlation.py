"""How far two rankings of the same things agree, and how often chance alone agrees as much.

Few things are ranked, ten or so: pairs are compared one by one, permutations all looked at.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_EXACT = 8  # things whose permutations are all looked at: 40,320
DRAWN = 20_000  # permutations of more things
ROUNDING = 1e-9

Floats = NDArray[np.float64]


def kendall_tau(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Return Kendall's tau-b of two sequences; None where one of them does not vary.

    Σ sgn(x_i - x_j) sgn(y_i - y_j) over all pairs, by the root of the numbers of pairs that are not
    tied in x, and in y.

    Source: Kendall 1945, "The treatment of ties in ranking problems".
    """
    return _weighted(x, y, np.zeros(len(x)) + 0.5)


def weighted_tau(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Return the weighted tau of two sequences, in which the top ranks count most.

    The pair i, j weighs 1 / (r_i + 1) + 1 / (r_j + 1), r being the rank from 0 at the top: the mean
    of ranking by x, ties by y, and of ranking by y, ties by x. None where one does not vary.

    Source: Vigna 2015, "A Weighted Correlation Index for Rankings with Ties"; what papers on
    transferability report, from scipy.stats.weightedtau.
    """
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    taus = [_weighted(x, y, _hyperbolic(a, b)), _weighted(x, y, _hyperbolic(b, a))]
    return None if taus[0] is None or taus[1] is None else (taus[0] + taus[1]) / 2


def permutation_p(x: Sequence[float], y: Sequence[float]) -> tuple[float, str]:
    """Return how often a permuted y has a tau as far from zero as y itself, and how that was found.

    All permutations of up to eight things; of more, 20,000 drawn with a fixed seed, y itself one of
    them.
    """
    count = len(x)
    if count <= MOST_EXACT:
        orders = np.array(list(itertools.permutations(range(count))), dtype=np.int64)
        method = f"exact, all {len(orders):,} permutations"
    else:
        generator = np.random.default_rng(0)
        rows = np.tile(np.arange(count), (DRAWN, 1))
        rows[1:] = generator.permuted(rows[1:], axis=1)
        orders, method = rows, f"{DRAWN:,} drawn permutations"
    signs = _signs(np.asarray(x, dtype=np.float64))
    others = _signs(np.asarray(y, dtype=np.float64))
    sums = np.zeros(len(orders))
    for i, j in itertools.combinations(range(count), 2):
        sums += signs[i, j] * others[orders[:, i], orders[:, j]]
    observed = abs(sums[0])  # the first order is the one given
    return float((np.abs(sums) >= observed - ROUNDING).mean()), method


def least_p(count: int) -> float:
    """Return the p of a perfect agreement of `count` things without ties."""
    return min(1.0, 2 / math.factorial(count))


def _signs(values: Floats) -> Floats:
    return np.sign(values[:, None] - values[None, :])


def _hyperbolic(first: Floats, then: Floats) -> Floats:
    """What each thing adds to the weight of its pairs, ranked by one key and then another."""
    order = np.lexsort((-then, -first))
    weights = np.empty(len(order))
    weights[order] = 1 / (np.arange(len(order)) + 1)
    return weights


def _weighted(x: Sequence[float], y: Sequence[float], weights: Floats) -> float | None:
    a = _signs(np.asarray(x, dtype=np.float64))
    b = _signs(np.asarray(y, dtype=np.float64))
    pairs = weights[:, None] + weights[None, :]
    size = (a * a * pairs).sum() * (b * b * pairs).sum()
    if size == 0:
        return None
    return float((a * b * pairs).sum() / np.sqrt(size))
