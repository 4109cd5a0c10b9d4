"""What classification asks of an evaluation: a linear head, cross-entropy, and statistics."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from numpy.random import Generator
from torch import Tensor, nn

from ftcore import Backbone, ConfigError, DataBundle, Statistics, ops
from ftcore.default_plugins.classification.check import check
from ftcore.default_plugins.classification.resampling import resample, reweigh
from ftcore.default_plugins.classification.statistics import (
    ClassificationStatistics,
    StackedStatistics,
)
from ftcore.default_plugins.classification.temperature import BOUNDS, fit_temperature
from ftcore.default_plugins.classification_metrics.by_class import F1, PRECISION, RECALL


@dataclass(frozen=True)
class ClassificationTask:
    """One class for each example; the resampling unit is the example.

    The statistics hold the fields of `ftcore.ops.ClassificationLayout` and, for every example in
    the order of evaluation, the rows `target`, `prediction`, `rank`, `confidence`, `nll`, `brier`
    and `entropy`. Where a metric needs the row `scores`, (N, 1) for two classes and (N, C) for
    more, it is there too. A name that both have, such as `nll`, means the field.
    """

    label_smoothing: float = 0.0
    is_balanced: bool = False

    name = "classification"
    version = 1
    metrics = ("accuracy", "f1_macro", "balanced_accuracy", "mcc", "nll", "brier", "ece")
    calibration = ("ece", "nll", "brier")

    def check(self, bundle: DataBundle) -> None:
        """Raise DataError, naming the example, unless every target is one of the classes."""
        check(bundle)

    def build_head(self, backbone: Backbone, bundle: DataBundle) -> nn.Module:
        """Return a linear layer from features (N, D) to logits (N, C)."""
        return nn.Linear(backbone.feature_dim, len(bundle.classes))

    def build_loss(self, bundle: DataBundle) -> ops.CrossEntropy:
        """Return cross-entropy; where classes are weighted, its weighted mean, as in torch."""
        return ops.CrossEntropy(self._class_weights(bundle), self.label_smoothing)

    def _class_weights(self, bundle: DataBundle) -> Tensor | None:
        if not self.is_balanced:
            return None
        counts = _training_counts(bundle)
        return counts.sum() / (len(counts) * counts)

    def statistics(
        self, bundle: DataBundle, needs: Collection[str] = ()
    ) -> ClassificationStatistics:
        """Return empty statistics; ConfigError for a need that classification does not have."""
        classes = len(bundle.classes)
        layout = ops.ClassificationLayout(
            classes,
            confusion=ops.ClassificationLayout.of(classes).confusion or "confusion" in needs,
        )
        statistics = ClassificationStatistics(layout, with_scores="scores" in needs)
        unknown = sorted(set(needs) - statistics.fields.keys() - statistics.rows.keys())
        if unknown:
            known = ", ".join(statistics.fields | statistics.rows)
            raise ConfigError(
                f"a metric needs {', '.join(unknown)}, which classification does not have; "
                f"it has {known}, scores"
            )
        return statistics

    def update_(self, statistics: Statistics, outputs: Tensor, targets: Tensor) -> None:
        """Add logits (N, C) and targets (N,) to statistics that `statistics` made."""
        if not isinstance(statistics, ClassificationStatistics):
            raise TypeError("update_ adds to what the task's `statistics` returned, nothing else")
        statistics.add_(outputs, targets)

    def stacked_statistics(
        self, bundle: DataBundle, needs: Collection[str], heads: int
    ) -> StackedStatistics | None:
        """Return empty fields (heads, ...), with the confusion matrix only where it is needed."""
        layout = ops.ClassificationLayout(len(bundle.classes), confusion="confusion" in needs)
        if not layout.count_fields.keys() | layout.sum_fields.keys() >= set(needs):
            return None
        return StackedStatistics(layout, heads)

    def stacked_update_(self, statistics: Statistics, outputs: Tensor, targets: Tensor) -> None:
        """Add logits (heads, N, C) and targets (N,) to what `stacked_statistics` made."""
        if not isinstance(statistics, StackedStatistics):
            raise TypeError("stacked_update_ adds to what `stacked_statistics` returned")
        statistics.add_(outputs, targets)

    def resample(
        self, statistics: Statistics, needs: Collection[str], count: int, generator: Generator
    ) -> Statistics:
        """Return `count` bootstrap replicates of what `needs` names, over the scored examples."""
        return resample(statistics, needs, count, generator)

    def reweigh(
        self, statistics: Statistics, needs: Collection[str], weights: Tensor
    ) -> Statistics:
        """Return replicates in which example i counts weights[r, i] times, (R, ...)."""
        return reweigh(statistics, needs, weights.numpy())

    def outputs_of_neighbours(self, bundle: DataBundle, targets: Tensor, weights: Tensor) -> Tensor:
        """Return log-probabilities (N, C): each class's share of the neighbours' weights (N, k).

        The k votes are joined by one that is spread evenly over the classes, so that no
        probability is 0, and none overtakes another.
        """
        count, classes = weights.shape[1], len(bundle.classes)
        shares = weights.double() / weights.sum(1, keepdim=True, dtype=torch.float64)
        votes = shares.new_zeros(len(weights), classes).scatter_add_(1, targets, shares)
        return ((count * votes + 1 / classes) / (count + 1)).log()

    def decode(self, outputs: Tensor) -> Mapping[str, Tensor]:
        """Return "prediction" (N,), the most likely class, and "confidence" (N,), its softmax."""
        confidence = outputs.double().softmax(dim=-1).amax(dim=-1)
        return {"prediction": outputs.argmax(dim=-1), "confidence": confidence}

    @property
    def temperature_bounds(self) -> tuple[float, float]:
        """A tenth and ten: what needs more is not to be trusted to a single number."""
        return BOUNDS

    def fit_temperature(self, outputs: Tensor, targets: Tensor) -> float:
        """Return the temperature at which logits (N, C) make the targets (N,) most likely."""
        return fit_temperature(outputs, targets)

    def calibrated(self, outputs: Tensor, temperature: float) -> Tensor:
        """Return the logits divided by the temperature, in float64."""
        return outputs.double() / temperature

    def units(self, statistics: Statistics) -> int:
        """Return the number of scored examples."""
        return int(statistics.fields["n"])

    def per_class(
        self, statistics: Statistics, bundle: DataBundle
    ) -> Mapping[str, Mapping[str, float]]:
        """Return precision, recall, F1 and support of each class; 0 where nothing is divided."""
        columns = {
            score.name: score.by_class(statistics).tolist() for score in (PRECISION, RECALL, F1)
        }
        columns["support"] = statistics.fields["support"].tolist()
        return {
            name: {column: float(values[index]) for column, values in columns.items()}
            for index, name in enumerate(bundle.classes)
        }

    def baselines(
        self, bundle: DataBundle, targets: Tensor, needs: Collection[str] = ()
    ) -> Mapping[str, Statistics]:
        """Return "majority class": it predicts the classes' shares of the training part.

        Its prediction is thus the most frequent class, and its probabilities are calibrated where
        training and test examples come from one source.
        """
        logits = _training_counts(bundle).log().expand(len(targets), -1)
        statistics = self.statistics(bundle, needs)
        statistics.add_(logits, targets)
        return {"majority class": statistics}


def _training_counts(bundle: DataBundle) -> Tensor:
    # A class without training examples, which `check` refuses, counts as seen once.
    targets = bundle.splits["train"].targets
    return torch.bincount(targets, minlength=len(bundle.classes)).clamp_min(1).double()
