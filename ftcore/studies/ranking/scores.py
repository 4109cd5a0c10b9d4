"""The scores by which backbones are ranked: pure functions of what they make of the training part.

Shapes: N examples, D features, K classes of the task, Z classes of the head the weights came with.
Of every score, more is better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ftcore.studies.ranking import spectrum
from ftcore.studies.ranking.spectrum import Floats, Ints, Spectrum

NEIGHBOURS = 5
_BLOCK = 1024  # rows of similarities at a time


@dataclass(frozen=True)
class Scores:
    """Each score by name; None where it is undefined, and `reasons` says why."""

    values: dict[str, float | None]
    reasons: dict[str, str]


def score(features: Floats, targets: Ints, source: Floats | None, why_not: str = "") -> Scores:
    """Return all scores of features (N, D), given targets (N,) and source probabilities (N, Z).

    Without `source`, `why_not` says why LEEP and NCE are undefined. H-scores and TransRate of
    features that do not vary are undefined, too.
    """
    if source is None:
        values: dict[str, float | None] = {"leep": None, "nce": None}
        reasons = dict.fromkeys(values, why_not)
    else:
        values = {"leep": leep(source, targets), "nce": nce(source.argmax(axis=1), targets)}
        reasons = {}
    values["logme"] = spectrum.log_me(Spectrum.of(features), targets)
    values["knn"] = knn_accuracy(features, targets)
    centred = spectrum.centred(features)
    varied = Spectrum.of(centred)
    if np.ptp(features, axis=0).max() == 0:
        names = ("h_score", "regularized_h_score", "transrate")
        values |= dict.fromkeys(names, None)
        reasons |= dict.fromkeys(names, "the features are the same for all examples")
    else:
        values["h_score"] = spectrum.h_score(varied, targets)
        values["regularized_h_score"] = spectrum.regularized_h_score(centred, varied, targets)
        values["transrate"] = spectrum.trans_rate(centred, varied, targets)
    return Scores({name: values[name] for name in NAMES}, reasons)


NAMES = ("logme", "knn", "regularized_h_score", "h_score", "transrate", "leep", "nce")


def leep(source: Floats, targets: Ints) -> float:
    """Return LEEP of the source head's probabilities (N, Z): the mean of log Σ_z p(y | z) θ(x)_z.

    p(y, z) is the mean of θ(x)_z over all x, those of class y alone counted, p(y | z) follows.

    Source: Nguyen et al. 2020, "LEEP: A New Measure to Evaluate Transferability of Learned
    Representations".
    """
    index, _ = spectrum.classes_of(targets)
    joint, _ = spectrum.class_sums(source, targets)  # (K, Z), but for the factor 1 / N
    marginal = joint.sum(axis=0)
    conditional = np.divide(joint, marginal, out=np.zeros_like(joint), where=marginal > 0)
    expected = (source * conditional[index]).sum(axis=1)
    return float(np.log(expected).mean())


def nce(guesses: Ints, targets: Ints) -> float:
    """Return the negative conditional entropy -H(Y | Z) in nats, Z being the source head's guesses.

    -H(Y | Z) = Σ p(y, z) log p(y | z), with the frequencies of the training part.

    Source: Tran et al. 2019, "Transferability and Hardness of Supervised Classification Tasks".
    """
    index, counts = spectrum.classes_of(targets)
    guessed, sizes = spectrum.classes_of(guesses)
    table = np.zeros((len(counts), len(sizes)))
    np.add.at(table, (index, guessed), 1.0)
    seen = table > 0
    return float((table * np.log(np.where(seen, table, 1.0) / sizes)).sum(where=seen) / len(index))


def knn_accuracy(features: Floats, targets: Ints, neighbours: int = NEIGHBOURS) -> float:
    """Return the leave-one-out accuracy of a vote of the nearest examples by cosine.

    Each example is classified by the others; where classes tie, the one whose neighbours are more
    similar in sum wins. Features that are zero have a cosine of zero to all.
    """
    index, counts = spectrum.classes_of(targets)
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.where(lengths > 0, lengths, 1.0)
    neighbours = min(neighbours, len(unit) - 1)
    right = 0
    for start in range(0, len(unit), _BLOCK):
        similarity = unit[start : start + _BLOCK] @ unit.T  # (rows, N)
        rows = np.arange(len(similarity))
        similarity[rows, start + rows] = -np.inf
        nearest = np.argpartition(-similarity, neighbours - 1, axis=1)[:, :neighbours]
        votes = np.zeros((len(rows), len(counts)))
        # A vote is worth far more than any similarity, which only decides between equal counts.
        worth = 1.0 + np.take_along_axis(similarity, nearest, axis=1) / (4.0 * neighbours)
        np.add.at(votes, (rows[:, None], index[nearest]), worth)
        right += int((votes.argmax(axis=1) == index[start : start + _BLOCK]).sum())
    return right / len(unit)
