"""The scores as the papers write them: loops and explicit inverses, slow and plain."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.covariance import LedoitWolf

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def covariance(rows: Floats) -> Floats:
    mean = rows.mean(axis=0)
    total = np.zeros((rows.shape[1], rows.shape[1]))
    for row in rows:
        total += np.outer(row - mean, row - mean)
    return total / len(rows)


def class_means(features: Floats, targets: Ints) -> Floats:
    means = np.empty_like(features)
    for label in set(targets.tolist()):
        means[targets == label] = features[targets == label].mean(axis=0)
    return means


def h_score(features: Floats, targets: Ints) -> float:
    inverse = np.linalg.pinv(covariance(features), rcond=1e-13, hermitian=True)
    return float(np.trace(inverse @ covariance(class_means(features, targets))))


def regularized_h_score(features: Floats, targets: Ints) -> float:
    estimate = LedoitWolf().fit(features)
    inverse = np.linalg.inv(estimate.covariance_)
    between = covariance(class_means(features, targets))
    return float((1 - estimate.shrinkage_) * np.trace(inverse @ between))


def log_me_by_iteration(features: Floats, targets: Ints) -> float:
    """You et al. 2021, equation 2 and algorithm 1, with the posterior's matrix A inverted."""
    n, d = features.shape
    evidences = []
    for label in sorted(set(targets.tolist())):
        wanted = (targets == label).astype(float)
        alpha = beta = 1.0
        eigenvalues = np.linalg.eigvalsh(features.T @ features).clip(0)
        for _ in range(3000):
            matrix = alpha * np.eye(d) + beta * features.T @ features
            mean = beta * np.linalg.inv(matrix) @ features.T @ wanted
            gamma = sum(beta * s / (alpha + beta * s) for s in eigenvalues)
            misfit = float(((features @ mean - wanted) ** 2).sum())
            before = alpha, beta
            alpha, beta = gamma / float(mean @ mean), (n - gamma) / misfit
            if np.allclose(before, (alpha, beta), rtol=1e-10, atol=0):
                break
        matrix = alpha * np.eye(d) + beta * features.T @ features
        mean = beta * np.linalg.inv(matrix) @ features.T @ wanted
        misfit = float(((features @ mean - wanted) ** 2).sum())
        evidence = n / 2 * math.log(beta) + d / 2 * math.log(alpha) - n / 2 * math.log(2 * math.pi)
        evidence -= beta / 2 * misfit + alpha / 2 * float(mean @ mean)
        evidence -= np.linalg.slogdet(matrix)[1] / 2
        evidences.append(evidence / n)
    return float(np.mean(evidences))


def log_me_by_search(features: Floats, targets: Ints) -> float:
    """The definition: the largest density of the targets under a Gaussian, by numerical search."""
    n = len(features)
    gram = features @ features.T
    evidences = []
    for label in sorted(set(targets.tolist())):
        wanted = (targets == label).astype(float)

        def surprise(logs: Floats, wanted: Floats = wanted) -> float:
            matrix = np.exp(-logs[0]) * gram + np.exp(-logs[1]) * np.eye(n)
            quadratic = float(wanted @ np.linalg.solve(matrix, wanted))
            log_determinant = float(np.linalg.slogdet(matrix)[1])
            return 0.5 * (quadratic + log_determinant + n * math.log(2 * math.pi))

        found = minimize(surprise, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-8})
        evidences.append(-float(found.fun) / n)
    return float(np.mean(evidences))


def trans_rate(features: Floats, targets: Ints, distortion: float = 1e-4) -> float:
    def rate(rows: Floats) -> float:
        n, d = rows.shape
        return float(np.linalg.slogdet(np.eye(d) + rows.T @ rows / (n * distortion))[1]) / 2

    centred = features - features.mean(axis=0)
    within = 0.0
    for label, count in Counter(targets.tolist()).items():
        within += count / len(targets) * rate(centred[targets == label])
    return rate(centred) - within


def leep(source: Floats, targets: Ints) -> float:
    n, outputs = source.shape
    labels = sorted(set(targets.tolist()))
    joint = {(y, z): 0.0 for y in labels for z in range(outputs)}
    for probabilities, y in zip(source, targets.tolist(), strict=True):
        for z in range(outputs):
            joint[y, z] += float(probabilities[z]) / n
    total = 0.0
    for probabilities, y in zip(source, targets.tolist(), strict=True):
        expected = 0.0
        for z in range(outputs):
            marginal = sum(joint[label, z] for label in labels)
            expected += float(joint[y, z] / marginal * probabilities[z])
        total += math.log(expected)
    return total / len(targets)


def nce(guesses: Ints, targets: Ints) -> float:
    pairs = Counter(zip(targets.tolist(), guesses.tolist(), strict=True))
    alone = Counter(guesses.tolist())
    return sum(count / len(targets) * math.log(count / alone[z]) for (_, z), count in pairs.items())


def knn_accuracy(features: Floats, targets: Ints, neighbours: int) -> float:
    right = 0
    for i, row in enumerate(features):
        cosines = []
        for j, other in enumerate(features):
            length = float(np.linalg.norm(row) * np.linalg.norm(other))
            if j != i:
                cosines.append((float(row @ other) / length if length else 0.0, int(targets[j])))
        nearest = sorted(cosines, reverse=True)[:neighbours]
        votes: dict[int, tuple[int, float]] = {}
        for cosine, label in nearest:
            count, total = votes.get(label, (0, 0.0))
            votes[label] = (count + 1, total + cosine)
        right += int(max(votes, key=lambda label: votes[label]) == targets[i])
    return right / len(features)
