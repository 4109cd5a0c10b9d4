"""The task `ordinal`: classes that have an order, by CORAL.

Cao, Mirjalili, Raschka 2020, "Rank consistent ordinal regression for neural networks with
application to age estimation": one output for each class but the first, the logit of "the class
is this one or a later one"; all share one weight vector, so that they can hardly disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import torch
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ftcore import Backbone, ConfigError, DataBundle, DataError, Statistics


class CoralHead(nn.Module):
    """Maps features (N, D) to logits (N, C - 1): one weight vector, C - 1 biases."""

    def __init__(self, feature_dim: int, classes: int) -> None:
        super().__init__()
        self.weight = nn.Linear(feature_dim, 1, bias=False)
        # They begin in order, from sure to doubtful.
        self.bias = nn.Parameter(torch.linspace(1, -1, classes - 1))

    def forward(self, features: Tensor) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.weight(features) + self.bias
        return logits


@dataclass(frozen=True)
class OrdinalTask:
    """One class for each example, the classes in order; the resampling unit is the example.

    The statistics hold `n`, `confusion` (C, C), whose rows are targets, and what follows from it:
    `support`, `predicted` and `correct` (C,). So metrics such as accuracy and f1_macro work, too.
    """

    name = "ordinal"
    metrics = ("rank_mae", "accuracy")

    def check(self, bundle: DataBundle) -> None:
        """Raise DataError, naming the example, unless every target is the index of a class."""
        if len(bundle.classes) < 2:
            raise DataError(f"{bundle.name} has {len(bundle.classes)} classes; two have an order")
        for part, split in bundle.splits.items():
            targets = split.targets
            if targets.dtype != torch.int64 or targets.dim() != 1:
                raise DataError(
                    f"targets of {part} are {targets.dtype} of shape {tuple(targets.shape)}; "
                    "class indices are int64 of shape (N,)"
                )
            wrong = (targets < 0) | (targets >= len(bundle.classes))
            for index in wrong.nonzero().flatten().tolist():
                raise DataError(
                    f"the target of {split.ids[index]!r} is {int(targets[index])}; "
                    f"there are classes 0 to {len(bundle.classes) - 1}"
                )

    def build_head(self, backbone: Backbone, bundle: DataBundle) -> nn.Module:
        """Return a CORAL head from features (N, D) to logits (N, C - 1)."""
        return CoralHead(backbone.feature_dim, len(bundle.classes))

    def build_loss(self, bundle: DataBundle) -> Callable[[Tensor, Tensor], Tensor]:
        """Return the mean binary cross-entropy of "this class or a later one"."""
        thresholds = torch.arange(len(bundle.classes) - 1)

        def loss(outputs: Tensor, targets: Tensor) -> Tensor:
            is_above = targets.unsqueeze(-1) > thresholds.to(targets.device)  # (N, C - 1)
            return binary_cross_entropy_with_logits(outputs, is_above.to(outputs.dtype))

        return loss

    def statistics(self, bundle: DataBundle, needs: Collection[str] = ()) -> Statistics:
        """Return empty statistics; ConfigError for a need that this task does not have."""
        classes = len(bundle.classes)
        statistics = Statistics(_fields(torch.zeros((classes, classes), dtype=torch.int64)))
        unknown = sorted(set(needs) - statistics.fields.keys())
        if unknown:
            raise ConfigError(
                f"a metric needs {unknown[0]!r}, which the task ordinal does not have; "
                f"it has {', '.join(statistics.fields)}"
            )
        return statistics

    def update_(self, statistics: Statistics, outputs: Tensor, targets: Tensor) -> None:
        """Add logits (N, C - 1) and targets (N,)."""
        _add_(statistics, _predict(outputs), targets)

    def resample(
        self, statistics: Statistics, needs: Collection[str], count: int, generator: Generator
    ) -> Statistics:
        """Return `count` replicates: drawing examples anew is a multinomial draw of the cells."""
        cells = statistics.confusion.flatten().numpy()
        shares = cells / max(1, cells.sum())
        drawn = torch.from_numpy(generator.multinomial(cells.sum(), shares, size=count))
        fields = _fields(drawn.view(count, *statistics.confusion.shape))
        return Statistics({name: fields[name] for name in needs})

    def units(self, statistics: Statistics) -> int:
        """Return the number of examples."""
        return int(statistics.n)

    def per_class(
        self, statistics: Statistics, bundle: DataBundle
    ) -> Mapping[str, Mapping[str, float]]:
        """Return the recall and the support of each class."""
        support, correct = statistics.support.tolist(), statistics.correct.tolist()
        return {
            name: {"recall": correct[i] / max(1, support[i]), "support": float(support[i])}
            for i, name in enumerate(bundle.classes)
        }

    def baselines(
        self, bundle: DataBundle, targets: Tensor, needs: Collection[str] = ()
    ) -> Mapping[str, Statistics]:
        """Return "median class": of all constant predictions the one least far off."""
        median = bundle.splits["train"].targets.median()
        statistics = self.statistics(bundle, needs)
        _add_(statistics, median.expand(len(targets)), targets)
        return {"median class": statistics}

    def decode(self, outputs: Tensor) -> Mapping[str, Tensor]:
        """Return "prediction" (N,), a class index, and "confidence" (N,), its probability."""
        above = outputs.double().sigmoid()  # (N, C - 1): P(class > k)
        padded = nn.functional.pad(nn.functional.pad(above, (1, 0), value=1.0), (0, 1), value=0.0)
        probability = -padded.diff(dim=-1)  # (N, C)
        prediction = _predict(outputs)
        confidence = probability.gather(-1, prediction.unsqueeze(-1)).squeeze(-1)
        return {"prediction": prediction, "confidence": confidence.clamp_min(0)}


def _predict(outputs: Tensor) -> Tensor:
    return (outputs > 0).sum(-1)


def _add_(statistics: Statistics, predictions: Tensor, targets: Tensor) -> None:
    classes = len(statistics.support)
    cells = (targets * classes + predictions).cpu()
    confusion = torch.bincount(cells, minlength=classes**2).view(classes, classes)
    for name, value in _fields(confusion).items():
        statistics.fields[name] += value


def _fields(confusion: Tensor) -> dict[str, Tensor]:
    """Every field that follows from confusion matrices (*, C, C)."""
    return {
        "n": confusion.sum((-2, -1)),
        "confusion": confusion,
        "support": confusion.sum(-1),
        "predicted": confusion.sum(-2),
        "correct": confusion.diagonal(dim1=-2, dim2=-1).clone(),
    }
