"""Intervals: what they are made of, and how often they hold the truth."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.stats import binomtest
from torch import Tensor

from ftcore import Metric, Statistics, Task
from ftcore.default_plugins import classification_metrics
from ftcore.default_plugins.classification.task import ClassificationTask
from ftcore.engine import intervals as module
from ftcore.engine.intervals import bootstrap, intervals, wilson
from ftcore.record import MetricValue
from ftcore.registry import Registry
from tests.default_plugins.classification.data import batch, bundle

TASK = ClassificationTask()
REGISTRY: Registry[Metric] = Registry("metric")
classification_metrics.register_metrics(REGISTRY.registrar("classification-metrics"))


def interval(
    metric: Metric, statistics: Statistics, task: Task, *, replicates: int = 1000, seed: int = 0
) -> MetricValue:
    measured = intervals([metric], statistics, task, replicates=replicates, seed=seed)
    return measured[metric.name]


def statistics_of(logits: Tensor, targets: Tensor) -> Statistics:
    statistics = TASK.statistics(bundle([0], logits.size(-1)), ("scores",))
    TASK.update_(statistics, logits, targets)
    return statistics


def perfect(rows: int = 30, classes: int = 3) -> Statistics:
    targets = torch.arange(rows) % classes
    return statistics_of(20 * torch.nn.functional.one_hot(targets, classes).double(), targets)


@pytest.mark.parametrize(("successes", "trials"), [(0, 5), (5, 5), (1, 1), (7, 20), (990, 1000)])
def test_wilson_equals_scipy(successes: int, trials: int) -> None:
    expected = binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    low, high = wilson(successes, trials)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= low <= successes / trials <= high <= 1


@pytest.mark.parametrize(
    ("spec", "method"),
    [
        ("accuracy", "Wilson score"),
        ("top_k:2", "Wilson score"),
        ("f1_macro", "BCa bootstrap, 1000 multinomial draws"),
        ("nll", "BCa bootstrap, 1000 multinomial draws"),
        ("ece", "basic and normal bootstrap, 1000 multinomial draws"),
        ("auroc", "BCa bootstrap, 1000 multinomial draws"),
    ],
)
def test_value_lies_in_its_interval(spec: str, method: str) -> None:
    metric, statistics = REGISTRY.create(spec), statistics_of(*batch(80, 3))
    result = interval(metric, statistics, TASK)
    assert result.value == float(metric.compute(statistics))
    assert result.low is not None
    assert result.high is not None
    assert result.low < result.value < result.high
    assert (result.n, result.method) == (80, method)
    assert result.higher_is_better is metric.higher_is_better


def test_metrics_measured_together_have_the_intervals_they_have_alone() -> None:
    specs = ("mcc", "accuracy", "nll", "f1_macro", "top_k:2", "kappa", "balanced_accuracy")
    metrics, statistics = [REGISTRY.create(spec) for spec in specs], statistics_of(*batch(80, 3))
    together = intervals(metrics, statistics, TASK)
    assert list(together) == [metric.name for metric in metrics]
    for metric in metrics:
        assert together[metric.name] == interval(metric, statistics, TASK)


def test_perfect_accuracy_is_not_certain() -> None:
    result = interval(REGISTRY.create("accuracy"), perfect(), TASK)
    assert (result.value, result.high) == (1.0, 1.0)
    assert result.low == pytest.approx(30 / (30 + 1.959964**2))


@pytest.mark.parametrize("spec", ["f1_macro", "mcc", "auroc", "mrr", "nll"])
def test_replicates_that_all_agree_give_no_interval(spec: str) -> None:
    result = interval(REGISTRY.create(spec), perfect(), TASK)
    assert result.value == pytest.approx(1.0 if spec != "nll" else 0.0, abs=1e-6)
    assert (result.low, result.high) == (None, None)
    assert result.method == "none (bootstrap, 1000 multinomial draws, all the same)"


def test_undefined_values_are_none() -> None:
    one_class = statistics_of(torch.randn(9, 2), torch.zeros(9, dtype=torch.int64))
    nothing = TASK.statistics(bundle([0], 2))
    for spec, statistics in (("auroc", one_class), ("accuracy", nothing), ("f1", nothing)):
        result = interval(REGISTRY.create(spec), statistics, TASK)
        assert (result.value, result.low, result.high) == (None, None, None)
        assert result.method == "undefined"


def test_undefined_replicates_are_counted_and_left_out() -> None:
    logits, targets = batch(12, 2)
    targets[:] = 0
    targets[3], targets[7] = 1, 1
    statistics, metric = statistics_of(logits, targets), REGISTRY.create("auroc")
    undefined = int(np.isnan(bootstrap([metric], statistics, TASK)["auroc"]).sum())
    result = interval(metric, statistics, TASK)
    assert 0 < undefined < 1000
    assert result.low is not None
    assert result.method == f"BCa bootstrap, 1000 multinomial draws, undefined in {undefined}"


def test_an_infinite_value_is_undefined() -> None:
    logits = torch.tensor([[1e5, 0.0]]).repeat(9, 1)
    result = interval(
        REGISTRY.create("perplexity"), statistics_of(logits, torch.ones(9).long()), TASK
    )
    assert result.value is None


def test_the_interval_of_a_biased_value_holds_it() -> None:
    # In each bin the share of right predictions is the confidence itself. No replicate is as good.
    confidence = torch.tensor([0.6, 0.8], dtype=torch.float64).repeat_interleave(100)
    targets = torch.cat([torch.arange(100) >= 60, torch.arange(100) >= 80]).long()
    statistics = statistics_of(torch.stack([confidence, 1 - confidence], -1).log(), targets)
    metric = REGISTRY.create("ece")
    result = interval(metric, statistics, TASK)
    assert result.value == pytest.approx(0)
    assert np.quantile(bootstrap([metric], statistics, TASK)["ece"], 0.025) > 1e-3
    assert result.low == 0
    assert result.high is not None
    assert result.high > 0.01


@pytest.mark.parametrize("spec", ["f1_macro", "nll", "auroc"])
def test_seed_decides_the_interval_whatever_the_threads_and_the_chunks(
    spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    metric, statistics = REGISTRY.create(spec), statistics_of(*batch(80, 3))
    expected, threads = interval(metric, statistics, TASK, seed=3), torch.get_num_threads()
    assert interval(metric, statistics, TASK, seed=4) != expected
    monkeypatch.setattr(module, "_HELD", 700)
    try:
        torch.set_num_threads(2 if threads == 1 else 1)
        assert interval(metric, statistics, TASK, seed=3) == expected
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("spec", ["f1_macro", "balanced_accuracy", "mcc"])
def test_multinomial_draws_agree_with_drawing_examples(spec: str) -> None:
    logits, targets = batch(150, 3)
    metric, predictions = REGISTRY.create(spec), logits.argmax(-1)
    drawn = bootstrap([metric], statistics_of(logits, targets), TASK, replicates=2000)[spec]
    one_hot = torch.nn.functional.one_hot(predictions, 3).double()
    plain, generator = [], torch.Generator().manual_seed(1)
    for _ in range(500):
        chosen = torch.randint(150, (150,), generator=generator)
        plain.append(float(metric.compute(statistics_of(one_hot[chosen], targets[chosen]))))
    assert drawn.mean() == pytest.approx(np.mean(plain), abs=5 * np.std(plain) / 500**0.5)
    assert drawn.std() == pytest.approx(np.std(plain), rel=0.15)


@pytest.mark.parametrize(("spec", "truth"), [("f1_macro", 0.8), ("recall_macro", 0.8)])
def test_intervals_hold_the_truth_about_95_times_in_100(spec: str, truth: float) -> None:
    # Each example is right with probability 0.8 and else one of the other two classes, so that in
    # the limit precision, recall and F1 of each class are 0.8.
    generator, metric, held = np.random.default_rng(0), REGISTRY.create(spec), 0
    for seed in range(200):
        targets = generator.integers(3, size=300)
        is_right = generator.random(300) < truth
        predictions = np.where(is_right, targets, (targets + generator.integers(1, 3, 300)) % 3)
        statistics = statistics_of(torch.eye(3)[predictions], torch.from_numpy(targets))
        result = interval(metric, statistics, TASK, replicates=400, seed=seed)
        assert result.low is not None
        assert result.high is not None
        held += result.low <= truth <= result.high
    assert 180 <= held <= 199


@dataclass(frozen=True)
class Clusters:
    """A metric that is a proportion, of a task whose units are larger than the trials."""

    name: str = "share"
    needs: Collection[str] = ("hits", "tries")
    higher_is_better: bool = True

    def compute(self, statistics: Statistics) -> Tensor:
        return statistics.hits / statistics.tries

    def trials(self, statistics: Statistics) -> tuple[int, int]:
        return int(statistics.hits), int(statistics.tries)


@dataclass(frozen=True)
class ClusterTask(ClassificationTask):
    """Ten pictures of a hundred pixels each, of which some are right."""

    hits: Tensor = field(default_factory=lambda: torch.arange(10) * 10)

    def units(self, statistics: Statistics) -> int:
        return 10

    def resample(
        self, statistics: Statistics, needs: Collection[str], count: int, generator: Generator
    ) -> Statistics:
        drawn = generator.integers(10, size=(count, 10))
        hits = self.hits[torch.from_numpy(drawn)].sum(1).double()
        return Statistics({"hits": hits, "tries": torch.full((count,), 1000.0)})


def test_a_proportion_of_clustered_trials_is_bootstrapped() -> None:
    task: Task = ClusterTask()
    statistics = Statistics({"hits": torch.tensor(450), "tries": torch.tensor(1000)})
    result = interval(Clusters(), statistics, task)
    assert result.method == "BCa bootstrap, 1000 multinomial draws"
    assert result.low is not None
    assert result.high is not None
    # The spread is that of ten pictures, not of a thousand pixels.
    assert result.high - result.low > 5 * math.sqrt(0.45 * 0.55 / 1000)


def test_a_metric_that_resamples_itself_is_asked_for_its_replicates() -> None:
    metric, statistics = Drawn(), statistics_of(*batch(20, 3))
    drawn = bootstrap([metric, REGISTRY.create("mcc")], statistics, TASK, replicates=7, seed=5)
    assert drawn["drawn"].tolist() == [5, 6, 7, 8, 9, 10, 11]
    alone = bootstrap([REGISTRY.create("mcc")], statistics, TASK, replicates=7, seed=5)
    assert drawn["mcc"].tolist() == alone["mcc"].tolist()


@dataclass(frozen=True)
class Drawn:
    """A metric whose replicates count up from the seed."""

    name: str = "drawn"
    needs: Collection[str] = ("scores",)
    higher_is_better: bool = True

    def compute(self, statistics: Statistics) -> Tensor:
        raise AssertionError("its replicates are not computed from statistics")

    def bootstrap(self, statistics: Statistics, count: int, seed: int) -> NDArray[np.float64]:
        return np.arange(seed, seed + count, dtype=np.float64)


def test_two_models_are_resampled_in_pairs() -> None:
    logits, targets = batch(200, 3)
    better = logits + 0.2 * torch.nn.functional.one_hot(targets, 3)
    pair, metric = [statistics_of(each, targets) for each in (logits, better)], "auroc"
    first, second = (
        bootstrap([REGISTRY.create(metric)], each, TASK, seed=3)[metric] for each in pair
    )
    other = bootstrap([REGISTRY.create(metric)], pair[1], TASK, seed=4)[metric]
    assert np.std(second - first) < 0.5 * np.std(other - first)
