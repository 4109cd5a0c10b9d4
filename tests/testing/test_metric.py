from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from ftcore import resampling
from ftcore.interfaces import Statistics
from ftcore.testing import check_metric


@dataclass
class Metric:
    compute: Callable[[Statistics], Any]
    needs: Any = ("n", "correct")
    name: str = "m"
    higher_is_better: Any = True


@dataclass
class Proportion(Metric):
    trials: Callable[[Statistics], tuple[int, int]] = lambda s: (0, 0)


@dataclass
class Resampled(Metric):
    bootstrap: Callable[[Statistics, int, int], Any] = lambda s, count, seed: [0.0] * count


def accuracy(statistics: Statistics) -> Tensor:
    return statistics.correct.sum(-1).double() / statistics.n


def mean_of_rows(statistics: Statistics) -> Tensor:
    score = statistics.rows["score"]
    weight = statistics.rows.get("weight", torch.ones_like(score))
    return (weight * score).sum(-1) / weight.sum(-1)


def drawn_means(statistics: Statistics, count: int, seed: int) -> Any:
    return resampling.bootstrap_mean(statistics.rows["score"].numpy(), count, seed)


def clearing(statistics: Statistics) -> Tensor:
    value = accuracy(statistics)
    statistics.correct.zero_()
    return value


def drifting() -> Callable[[Statistics], float]:
    calls: list[int] = []

    def compute(statistics: Statistics) -> float:
        calls.append(1)
        return float(len(calls))

    return compute


def plain_float(statistics: Statistics) -> float:
    return float(statistics.correct.sum() / statistics.n)


def dividing(statistics: Statistics) -> Tensor:
    if statistics.n.dim() == 0 and int(statistics.n) == 0:
        raise ZeroDivisionError("no examples")
    return accuracy(statistics)


def right_of(statistics: Statistics) -> tuple[int, int]:
    return int(statistics.correct.sum()), int(statistics.n)


ROWS = Statistics({}, {"score": torch.tensor([0.1, 0.5, 0.25], dtype=torch.float64)})


@pytest.mark.parametrize(
    ("metric", "statistics"),
    [
        (Metric(accuracy), None),
        (Proportion(accuracy, trials=right_of), None),
        (Metric(mean_of_rows, ("score",)), ROWS),
        (Resampled(mean_of_rows, ("score",), bootstrap=drawn_means), ROWS),
        (Metric(lambda s: torch.full(s.n.shape, torch.nan), ("n",)), None),
    ],
    ids=["fields", "proportion", "rows", "resampled", "undefined"],
)
def test_what_keeps_the_contract_passes(metric: Metric, statistics: Statistics | None) -> None:
    check_metric(metric, statistics)


@pytest.mark.parametrize(
    ("metric", "statistics", "sentence"),
    [
        (object(), None, "lacks one of"),
        (Metric(accuracy, name=""), None, "has no name"),
        (Metric(accuracy, needs="confusion"), None, "write ('confusion',)"),
        (Metric(accuracy, higher_is_better=1), None, "neither True nor False"),
        (Metric(accuracy, needs=("n", "colour")), None, "The metric needs ['colour']"),
        (Metric(accuracy, needs=("n",)), None, "needs does not name all"),
        (Metric(lambda s: s.correct / s.n), None, "returns shape (5,) for statistics without"),
        (Metric(drifting(), needs=()), None, "Computing twice gives two values"),
        (Metric(clearing), None, "Computing twice"),
        (Metric(plain_float), None, "with 3 replicates compute() raises"),
        (Metric(lambda s: s.n.sum(), ("n",)), None, "compute() returns shape (), not (3,)"),
        (Metric(lambda s: s.correct.sum() / s.n), None, "Three replicates computed together"),
        (
            Metric(lambda s: s.rows["score"].mean(), ("score",)),
            ROWS,
            "with 3 replicates compute() returns shape ()",
        ),
        (Resampled(accuracy), None, "A metric without rows"),
        (Resampled(mean_of_rows, ("score",)), ROWS, "bootstrap() gives [0.0, 0.0, 0.0, 0.0, 0.0]"),
        (
            Resampled(mean_of_rows, ("score",), bootstrap=lambda s, count, seed: [0.0]),
            ROWS,
            "bootstrap() of 5 replicates returns shape (1,)",
        ),
        (Metric(dividing), None, "compute() raises ZeroDivisionError: no examples"),
        (Proportion(accuracy, trials=lambda s: (1, 200)), None, "trials() says 1 of 200"),
        (Proportion(accuracy, trials=lambda s: (3, 2)), None, "3 successes in 2 trials"),
    ],
)
def test_a_broken_promise_is_told_in_a_sentence(
    metric: Any, statistics: Statistics | None, sentence: str
) -> None:
    with pytest.raises(AssertionError) as caught:
        check_metric(metric, statistics)
    assert sentence in str(caught.value)


def test_a_metric_that_changes_what_it_reads_is_told() -> None:
    def scaling(statistics: Statistics) -> Tensor:
        value = accuracy(statistics)
        statistics.correct.mul_(2)
        statistics.n.mul_(2)
        return value

    with pytest.raises(AssertionError, match="changed the statistics"):
        check_metric(Metric(scaling))
