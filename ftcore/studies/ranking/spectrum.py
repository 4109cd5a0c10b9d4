"""The scores that are functions of singular values: of features (N, D), as they are or centred.

N examples, D features, K classes, y their class indices. Everything is computed in float64. The
classes are those that occur in y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Features are computed in float32: a direction this much weaker than the strongest is rounding.
ROUNDING = float(np.finfo(np.float32).eps)
DISTORTION = 1e-4  # the ε of TransRate, as in the paper
STEPS = 500  # at most, of the fixed-point iteration of LogME
SETTLED = 1e-8  # relative change of α/β at which it ends; the evidence is stationary there


def classes_of(targets: Ints) -> tuple[Ints, Ints]:
    """Return for each example the number of its class among those that occur, and their sizes."""
    _, index, counts = np.unique(targets, return_inverse=True, return_counts=True)
    return index.astype(np.int64), counts.astype(np.int64)


def class_sums(rows: Floats, targets: Ints) -> tuple[Floats, Ints]:
    """Return the sum of the rows of each class (K, D), and how many there are (K,)."""
    index, counts = classes_of(targets)
    order = np.argsort(index, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    return np.add.reduceat(rows[order], starts, axis=0), counts


@dataclass(frozen=True)
class Spectrum:
    """The singular value decomposition of a matrix (N, D), less what is rounding.

    The matrix is `left` (N, r) times `values` (r,) times the right singular vectors.
    """

    left: Floats
    values: Floats
    columns: int  # D

    @classmethod
    def of(cls, matrix: Floats) -> Spectrum:
        """Decompose a matrix."""
        left, values, _ = np.linalg.svd(matrix, full_matrices=False)
        kept = values > ROUNDING * values[0] if values.size else np.zeros(0, dtype=bool)
        return cls(left[:, kept], values[kept], matrix.shape[1])


def centred(features: Floats) -> Floats:
    """Return features less their mean."""
    shifted: Floats = features - features.mean(axis=0)
    return shifted


def h_score(spectrum: Spectrum, targets: Ints) -> float:
    """Return the H-score of centred features: tr(pinv(cov(f)) cov(E[f | y])).

    With f = U S V', cov(f) = V S² V' / N, the trace is that of U' P U, where P replaces each row by
    the mean of its class. It lies between 0 and K - 1. Where the features have rank N - 1, as with
    more features than examples, it is K - 1 whatever they are: the pseudo-inverse does not
    regularise.

    Source: Bao et al. 2019, "An Information-Theoretic Approach to Transferability in Task Transfer
    Learning".
    """
    sums, counts = class_sums(spectrum.left, targets)
    return float((sums**2 / counts[:, None]).sum())


def regularized_h_score(features: Floats, spectrum: Spectrum, targets: Ints) -> float:
    """Return the H-score with a shrunk covariance: (1 - a) tr(inv(cov_a(f)) cov(E[f | y])).

    cov_a(f) = (1 - a) cov(f) + a tr(cov(f)) / D I, and a is Ledoit and Wolf's, from the centred
    `features` (N, D).

    Source: Ibrahim et al. 2022, "Newer is not always better: Rethinking transferability metrics,
    their peculiarities, stability and performance"; Ledoit and Wolf 2004, "A well-conditioned
    estimator for large-dimensional covariance matrices".
    """
    n, d = features.shape
    variances = spectrum.values**2 / n
    shrinkage = _ledoit_wolf(variances, n, d, float((np.sum(features**2, axis=1) ** 2).sum()))
    shrunk = (1 - shrinkage) * variances + shrinkage * variances.sum() / d
    sums, counts = class_sums(spectrum.left * spectrum.values, targets)
    between = (sums**2 / counts[:, None]).sum(axis=0) / n  # of each direction
    return float((1 - shrinkage) * (between / shrunk).sum())


def _ledoit_wolf(variances: Floats, n: int, d: int, fourth: float) -> float:
    # `fourth` is the sum of the fourth powers of the examples' norms.
    squared = float((variances**2).sum())
    distance = squared - variances.sum() ** 2 / d
    noise = min((fourth / n - squared) / n, distance)
    return 0.0 if noise <= 0 else float(noise / distance)


def trans_rate(features: Floats, spectrum: Spectrum, targets: Ints) -> float:
    """Return TransRate of centred features: R(Z, ε) - R(Z, ε | Y), in nats, with ε = 1e-4.

    R(Z, ε) = 1/2 log det(I + Z'Z / (N ε)); R(Z, ε | Y) is the mean of the R(Z_c, ε) of the classes,
    weighted by their sizes, as in the paper's definition; its listing weighs all classes alike.
    It depends on the scale of the features.

    Source: Huang et al. 2022, "Frustratingly Easy Transferability Estimation".
    """
    index, counts = classes_of(targets)
    n = len(index)
    within = 0.0
    for label, count in enumerate(counts):
        values = np.linalg.svd(features[index == label], compute_uv=False)
        within += count / n * _rate(values, int(count))
    return _rate(spectrum.values, n) - within


def _rate(values: Floats, n: int) -> float:
    return float(0.5 * np.log1p(values**2 / (n * DISTORTION)).sum())


def log_me(spectrum: Spectrum, targets: Ints) -> float:
    """Return the logarithm of maximum evidence of features as they are, a mean over classes.

    For each class, its indicator t (N,) is modelled as N(F w, 1/β) with w ~ N(0, 1/α): the score
    is max over α, β of log p(t | F, α, β) / N. With s the eigenvalues of F'F, α and β come from
    the paper's fixed-point iteration γ = Σ s / (s + α/β), α = γ / |m|², β = (N - γ) / |F m - t|²,
    m being the mean of w given t; it depends on α/β alone.

    Source: You et al. 2021, "LogME: Practical Assessment of Pre-trained Models for Transfer
    Learning".
    """
    sums, counts = class_sums(spectrum.left, targets)
    n, squares = len(targets), spectrum.values**2
    evidences = [
        _evidence(squares, row**2, float(count), n) for row, count in zip(sums, counts, strict=True)
    ]
    return float(np.mean(evidences))


def _evidence(squares: Floats, weights: Floats, total: float, n: int) -> float:
    """The maximum evidence of a target of squared length `total`, and `weights` (r,) along U."""
    outside = max(total - float(weights.sum()), 0.0)
    ratio = float(squares.mean()) if squares.size else 1.0
    least, most = 1e-12 * ratio, 1e12 * ratio  # where all is fitted, or nothing, it has no limit
    for _ in range(STEPS):
        gamma = (squares / (squares + ratio)).sum()
        length = (squares * weights / (squares + ratio) ** 2).sum()
        residual = (weights * (ratio / (squares + ratio)) ** 2).sum() + outside
        new = most if length == 0 else gamma / length * residual / (n - gamma)
        new = float(np.clip(new, least, most))
        settled = abs(new - ratio) <= SETTLED * ratio
        ratio = new
        if settled:
            break
    # For a given ratio the best α is N over what follows, and β is α / ratio.
    misfit = (weights / (squares + ratio)).sum() + outside / ratio
    determinant = np.log(squares + ratio).sum() + (n - len(squares)) * np.log(ratio)
    return float(-0.5 * (np.log(2 * np.pi * misfit / n) + 1 + determinant / n))
