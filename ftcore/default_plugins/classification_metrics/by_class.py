"""Scores of single classes, and their averages, from counts by class.

The classes, their averages and what a division by zero gives are scikit-learn's
(`precision_recall_fscore_support`, `jaccard_score`): 0 for a class, and the macro average runs
over the classes that occur among the targets or the predictions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ftcore import Statistics
from ftcore.default_plugins.classification_metrics import Average


@dataclass(frozen=True)
class ClassScore:
    """A ratio of counts of each class: correct, support and predicted (*, C) to two of (*, C)."""

    name: str
    counts: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]

    def by_class(self, statistics: Statistics) -> Tensor:
        """Return the score of each class, (*, C)."""
        return divide(*self._counts(statistics), empty=0.0)

    def averaged(self, statistics: Statistics, average: Average) -> Tensor:
        """Return the average over the classes, (*); NaN where no example was scored."""
        part, whole = self._counts(statistics)
        if average == "micro":
            return divide(part.sum(-1), whole.sum(-1))
        support, predicted = statistics.fields["support"], statistics.fields["predicted"]
        weight = support if average == "weighted" else (support + predicted > 0).long()
        scores = divide(part, whole, empty=0.0)
        return divide((weight * scores).sum(-1), weight.sum(-1))

    def _counts(self, statistics: Statistics) -> tuple[Tensor, Tensor]:
        fields = statistics.fields
        return self.counts(fields["correct"], fields["support"], fields["predicted"])


PRECISION = ClassScore("precision", lambda correct, support, predicted: (correct, predicted))
RECALL = ClassScore("recall", lambda correct, support, predicted: (correct, support))
F1 = ClassScore("f1", lambda correct, support, predicted: (2 * correct, support + predicted))
JACCARD = ClassScore(
    "jaccard", lambda correct, support, predicted: (correct, support + predicted - correct)
)


def divide(part: Tensor, whole: Tensor, empty: float = math.nan) -> Tensor:
    """Return part / whole in float64, and `empty` where whole is 0."""
    return torch.where(whole != 0, part.double() / whole.double(), empty)
