"""Metrics of classification, all functions of additive statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from ftcore import Metric, Statistics, UsageError, hookimpl

if TYPE_CHECKING:
    from torch import Tensor

    from ftcore.default_plugins.classification_metrics.by_class import ClassScore

Average: TypeAlias = Literal["macro", "micro", "weighted"]

_AVERAGED: dict[Average, str] = {
    "macro": "averaged over classes",
    "micro": "from the counts of all classes together",
    "weighted": "averaged over classes by their number of examples",
}
# The same for all that are functions of them, so that they share the replicates of their intervals.
_BY_CLASS = ("n", "support", "predicted", "correct")
_BINS = ("bin_count", "bin_correct", "bin_confidence")


@hookimpl
def register_metrics(register: Callable[[str, Callable[..., Metric]], None]) -> None:
    """Register the metrics that ship in the box."""
    for factory in (
        accuracy,
        top_k,
        balanced_accuracy,
        precision,
        recall,
        f1,
        jaccard,
        mcc,
        kappa,
        mrr,
        nll,
        perplexity,
        entropy,
        brier,
        ece,
        mce,
        auroc,
        average_precision,
    ):
        register(factory.__name__, factory)
    register("top_5", top_5)
    for averaged in (precision, recall, f1, jaccard):
        for average in get_args(Average):
            register(f"{averaged.__name__}_{average}", _with_average(averaged, average))


def accuracy() -> Metric:
    """Share of examples predicted right."""
    from ftcore.default_plugins.classification_metrics.kinds import ProportionMetric

    return ProportionMetric(
        "accuracy",
        ("n", "correct"),
        lambda statistics: statistics.fields["correct"].sum(-1),
        lambda rows: rows["prediction"] == rows["target"],
    )


def top_k(k: int = 5) -> Metric:
    """Share of examples whose class is among the k most likely."""
    from ftcore.default_plugins.classification_metrics.kinds import ProportionMetric

    if k < 1:
        raise UsageError(f"top_k: k is {k}; it must be 1 or more")
    return ProportionMetric(
        f"top_{k}",
        ("n", "rank"),
        lambda statistics: statistics.fields["rank"][..., :k].sum(-1),
        lambda rows: rows["rank"] < k,
    )


def top_5() -> Metric:
    """Share of examples whose class is among the 5 most likely."""
    return top_k(5)


def precision(average: Average = "macro") -> Metric:
    """Share of a class's predictions that are right, averaged over classes."""
    from ftcore.default_plugins.classification_metrics.by_class import PRECISION

    return _averaged(PRECISION, average)


def recall(average: Average = "macro") -> Metric:
    """Share of a class's examples that are predicted right, averaged over classes."""
    from ftcore.default_plugins.classification_metrics.by_class import RECALL

    return _averaged(RECALL, average)


def f1(average: Average = "macro") -> Metric:
    """Harmonic mean of precision and recall, averaged over classes."""
    from ftcore.default_plugins.classification_metrics.by_class import F1

    return _averaged(F1, average)


def jaccard(average: Average = "macro") -> Metric:
    """Intersection over union of a class's examples and predictions, averaged over classes."""
    from ftcore.default_plugins.classification_metrics.by_class import JACCARD

    return _averaged(JACCARD, average)


def balanced_accuracy() -> Metric:
    """Mean recall over the classes that have examples."""
    from ftcore.default_plugins.classification_metrics import agreement
    from ftcore.default_plugins.classification_metrics.kinds import FunctionMetric

    return FunctionMetric("balanced_accuracy", _BY_CLASS, agreement.balanced_accuracy)


def mcc() -> Metric:
    """Matthews correlation of predictions and targets."""
    from ftcore.default_plugins.classification_metrics import agreement
    from ftcore.default_plugins.classification_metrics.kinds import FunctionMetric

    return FunctionMetric("mcc", _BY_CLASS, agreement.mcc)


def kappa() -> Metric:
    """Cohen's kappa: agreement beyond chance."""
    from ftcore.default_plugins.classification_metrics import agreement
    from ftcore.default_plugins.classification_metrics.kinds import FunctionMetric

    return FunctionMetric("kappa", _BY_CLASS, agreement.kappa)


def mrr() -> Metric:
    """Mean reciprocal rank of the true class."""
    from ftcore.default_plugins.classification_metrics import agreement
    from ftcore.default_plugins.classification_metrics.kinds import FunctionMetric

    return FunctionMetric("mrr", ("n", "rank"), agreement.mrr)


def nll() -> Metric:
    """Mean negative log-likelihood in nats (log loss, cross-entropy)."""
    from ftcore.default_plugins.classification_metrics import probability
    from ftcore.default_plugins.classification_metrics.kinds import FunctionMetric

    return FunctionMetric("nll", ("n", "nll"), probability.nll, higher_is_better=False)


def perplexity() -> Metric:
    """exp of the mean negative log-likelihood."""
    from ftcore.default_plugins.classification_metrics import probability
    from ftcore.default_plugins.classification_metrics.kinds import FunctionMetric

    return FunctionMetric(
        "perplexity", ("n", "nll"), probability.perplexity, higher_is_better=False
    )


def entropy() -> Metric:
    """Mean entropy of the predicted distributions in nats."""
    from ftcore.default_plugins.classification_metrics import probability
    from ftcore.default_plugins.classification_metrics.kinds import FunctionMetric

    return FunctionMetric("entropy", ("n", "entropy"), probability.entropy, higher_is_better=False)


def brier() -> Metric:
    """Mean squared error of the probabilities; halved for two classes, as is the custom."""
    from ftcore.default_plugins.classification_metrics import probability
    from ftcore.default_plugins.classification_metrics.kinds import FunctionMetric

    return FunctionMetric(
        "brier", ("n", "brier", "support"), probability.brier, higher_is_better=False
    )


def ece() -> Metric:
    """Expected calibration error over 15 bins of equal width."""
    from ftcore.default_plugins.classification_metrics import probability
    from ftcore.default_plugins.classification_metrics.kinds import FunctionMetric

    return FunctionMetric("ece", _BINS, probability.ece, higher_is_better=False)


def mce() -> Metric:
    """Largest calibration error of one of 15 bins of equal width."""
    from ftcore.default_plugins.classification_metrics import probability
    from ftcore.default_plugins.classification_metrics.kinds import FunctionMetric

    return FunctionMetric("mce", _BINS, probability.mce, higher_is_better=False)


def auroc() -> Metric:
    """Area under the ROC curve; one against the rest, averaged, for more than two classes."""
    from ftcore.default_plugins.classification_metrics import threshold
    from ftcore.default_plugins.classification_metrics.kinds import RankingMetric

    return RankingMetric("auroc", threshold.auroc, threshold.bootstrap_auroc)


def average_precision() -> Metric:
    """Area under the precision-recall curve, without interpolation."""
    from ftcore.default_plugins.classification_metrics import threshold
    from ftcore.default_plugins.classification_metrics.kinds import RankingMetric

    return RankingMetric(
        "average_precision", threshold.average_precision, threshold.bootstrap_average_precision
    )


def _averaged(score: ClassScore, average: Average) -> Metric:
    from ftcore.default_plugins.classification_metrics.kinds import FunctionMetric

    def compute(statistics: Statistics) -> Tensor:
        return score.averaged(statistics, average)

    return FunctionMetric(f"{score.name}_{average}", _BY_CLASS, compute)


def _with_average(factory: Callable[[Average], Metric], average: Average) -> Callable[[], Metric]:
    def averaged() -> Metric:
        return factory(average)

    what = (factory.__doc__ or "").partition(",")[0]
    averaged.__doc__ = f"{what}, {_AVERAGED[average]}."
    return averaged
