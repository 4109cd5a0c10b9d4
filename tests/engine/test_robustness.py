from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ftcore.config import RunConfig
from ftcore.engine.batches import RawSource
from ftcore.engine.device import Machine
from ftcore.engine.evaluation import Evaluator
from ftcore.engine.model import assemble
from ftcore.engine.observer import Observer
from ftcore.engine.robustness import choose_corruptions, evaluate_corrupted
from ftcore.errors import UsageError
from ftcore.interfaces import Backbone
from ftcore.record import CorruptionsRecord
from tests.engine.test_run import make_parts
from tests.tiny import ToFloat, make_backbone


@dataclass(frozen=True)
class Fading(ToFloat):
    """Fades inputs, or adds noise to them that depends on the seed."""

    fading: float = 0.0

    corruptions = ("fade", "hiss")

    def __call__(self, raw: Sequence[Any], seeds: Sequence[int] = ()) -> Tensor:
        return super().__call__(raw, seeds) * (1 - self.fading)

    def corrupted(self, name: str, severity: int) -> Fading:
        if name not in self.corruptions or severity not in range(1, 6):
            raise UsageError(f"there is no {name} {severity}")
        if name == "fade":
            return replace(self, fading=severity / 5)
        return replace(self, noise=float(severity))


class Counting(Observer):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.total, self.done = 0, 0

    def step_started(self, name: str, total: int, unit: str) -> None:
        self.total = total

    def advanced(self, count: int) -> None:
        self.done += count


def fading_backbone() -> Backbone:
    return dataclasses.replace(make_backbone(), preprocess=Fading())


class Nearest(nn.Module):
    """The class whose mean over the training part is nearest, so that fading and noise hurt."""

    def __init__(self) -> None:
        super().__init__()
        train = make_parts().bundle.splits["train"]
        values = torch.stack(list(train.inputs(range(len(train))))).flatten(1)
        means = torch.stack([values[train.targets == c].mean(0) for c in range(3)])
        self.weight, self.bias = means, -0.5 * means.square().sum(1)

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.flatten(1) @ self.weight.T + self.bias


def score(
    names: str = "all", severities: Sequence[int] = (), workers: int = 0, **options: Any
) -> tuple[CorruptionsRecord, Counting, float]:
    backbone, parts = fading_backbone(), make_parts(**options)
    evaluator = Evaluator(
        parts.task, parts.bundle, parts.metrics, Machine.of(RunConfig.parse({})), workers
    )
    source = RawSource(parts.bundle.splits["test"], backbone.preprocess, 0)
    model, observer = Nearest(), Counting()
    clean, _ = evaluator.statistics(model, source, Observer())
    chosen = choose_corruptions(backbone, names, severities)
    record = evaluate_corrupted(evaluator, model, chosen, (source, clean), observer)
    return record, observer, evaluator.values(clean)[parts.metrics[0].name]


@pytest.mark.parametrize(
    ("names", "severities", "expected"),
    [
        ("all", (), [(name, s) for name in ("fade", "hiss") for s in range(1, 6)]),
        ("hiss", (5, 2, 5), [("hiss", 2), ("hiss", 5)]),
        ("hiss,fade,hiss", (1,), [("hiss", 1), ("fade", 1)]),
    ],
)
def test_names_and_severities_are_chosen_once_each(
    names: str, severities: Sequence[int], expected: list[tuple[str, int]]
) -> None:
    chosen = choose_corruptions(fading_backbone(), names, severities)
    assert [(each.name, each.severity) for each in chosen] == expected


def test_inputs_that_no_corruption_is_known_for_are_refused() -> None:
    with pytest.raises(UsageError, match=r"backbone 'tiny' cannot be corrupted.*ToFloat"):
        choose_corruptions(make_backbone(), "all")
    with pytest.raises(UsageError, match="there is no fog 1"):
        choose_corruptions(fading_backbone(), "fog")


def test_each_cell_is_what_the_damaged_inputs_score() -> None:
    record, observer, _ = score()
    test = make_parts().bundle.splits["test"]
    values = torch.stack(list(test.inputs(range(30))))
    fade = record.corruptions[0]
    assert fade.name == "fade"
    for cell in fade.severities:
        predicted = Nearest()(values * (1 - cell.severity / 5)).argmax(1)
        accuracy = cell.metrics["accuracy"]
        assert accuracy.value == float((predicted == test.targets).double().mean())
        assert accuracy.low is not None
        assert accuracy.high is not None
        assert accuracy.low <= accuracy.value <= accuracy.high
    assert (observer.total, observer.done) == (10 * 30, 10 * 30)


def test_errors_are_means_of_the_cells() -> None:
    record, _, clean = score()
    cells = [
        [cell.metrics["accuracy"].value for cell in each.severities] for each in record.corruptions
    ]
    assert [each.mean["accuracy"].value for each in record.corruptions] == pytest.approx(
        np.mean(np.array(cells, float), axis=1).tolist()
    )
    mean = float(np.mean(np.array(cells, float)))
    assert record.metric == "accuracy"
    assert record.mean["accuracy"].value == pytest.approx(mean)
    assert record.mean_corruption_error.value == pytest.approx(1 - mean)
    assert record.relative_mean_corruption_error.value == pytest.approx(clean - mean)
    assert record.levels == (1, 2, 3, 4, 5)


def test_what_is_better_when_lower_is_an_error_itself() -> None:
    record, _, clean = score("hiss", (3,), metric=["nll", "accuracy"])
    value = record.corruptions[0].severities[0].metrics["nll"].value
    assert value is not None
    assert record.mean_corruption_error.value == pytest.approx(value)
    assert record.relative_mean_corruption_error.value == pytest.approx(value - clean)


def test_the_interval_of_the_mean_is_over_examples_drawn_for_all() -> None:
    # One corruption at five severities of fading: the errors of an example go together, and the
    # mean's interval is that of the examples' own mean errors.
    record, _, _ = score("fade")
    test = make_parts().bundle.splits["test"]
    values = torch.stack(list(test.inputs(range(30))))
    right = [Nearest()(values * (1 - s / 5)).argmax(1) == test.targets for s in range(1, 6)]
    of_example = torch.stack(right).double().mean(0)
    reach = float(1.96 * of_example.std(correction=0) / 30**0.5)
    mean = record.mean["accuracy"]
    assert mean.low is not None
    assert mean.high is not None
    assert mean.high - mean.low == pytest.approx(2 * reach, rel=0.15)
    assert mean.method == "BCa paired bootstrap, 1000 draws"


def test_workers_and_repetition_change_nothing() -> None:
    once, _, _ = score("hiss", (2, 4))
    again, _, _ = score("hiss", (2, 4), workers=2)
    assert once == again


def test_the_model_is_left_alone() -> None:
    model = assemble(fading_backbone(), nn.Linear(8, 3))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    parts = make_parts()
    evaluator = Evaluator(parts.task, parts.bundle, parts.metrics, Machine.of(RunConfig.parse({})))
    source = RawSource(parts.bundle.splits["test"], Fading(), 0)
    clean, _ = evaluator.statistics(model, source, Observer())
    chosen = choose_corruptions(fading_backbone(), "fade", (5,))
    evaluate_corrupted(evaluator, model, chosen, (source, clean), Observer())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
