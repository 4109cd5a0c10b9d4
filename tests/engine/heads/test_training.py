from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from ftcore.default_plugins.classification.task import ClassificationTask
from ftcore.engine import evaluation
from ftcore.engine.batches import training_order
from ftcore.engine.heads import (
    Head,
    TrainedHead,
    grid,
    plan,
    rows,
    select,
    train_heads,
    training,
)
from ftcore.engine.observer import Observer
from ftcore.engine.optimization import build_schedule
from ftcore.engine.randomness import MODEL, seed_torch
from ftcore.engine.training import Progress
from ftcore.errors import ConfigError, NumericalError, StoppedError
from tests.engine.heads.data import (
    CLASSES,
    DEPTH,
    FOLDS,
    TOLERANCE,
    MlpTask,
    make_data,
    make_head_parts,
    train_alone,
)
from tests.engine.test_run import StopAfter


def assert_agrees(found: TrainedHead, alone: Progress) -> None:
    assert [row.epoch for row in found.history] == [row.epoch for row in alone.history]
    assert [row.is_best for row in found.history] == [row.is_best for row in alone.history]
    for ours, theirs in zip(found.history, alone.history, strict=True):
        assert ours.learning_rate == theirs.learning_rate
        assert ours.train_loss == pytest.approx(theirs.train_loss, rel=1e-5)
        assert ours.val_loss == pytest.approx(theirs.val_loss, rel=1e-5)
        assert ours.val == {"accuracy": theirs.val["accuracy"]}
    assert {f"head.{name}" for name in found.state} == alone.best.keys()
    for name, tensor in found.state.items():
        torch.testing.assert_close(tensor, alone.best[f"head.{name}"], rtol=0, atol=TOLERANCE)


def _named(options: dict[str, Any]) -> str:
    """A name that is the same in every process, which that of a lambda is not."""
    return "-".join(
        f"{name}={re.sub(' at 0x[0-9a-f]+', '', str(v))}" for name, v in options.items()
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": "sgd"},
        {"optimizer": "sgd", "momentum": 0.0, "schedule": "step:every=2"},
        {"clip_norm": 0.1},
        {"patience": 1, "epochs": 9},
        {"task": ClassificationTask(label_smoothing=0.1)},
        {"task": MlpTask()},
        {"task": MlpTask(layer=lambda: nn.BatchNorm1d(6)), "patience": 1, "epochs": 9},
    ],
    ids=_named,
)
def test_heads_together_are_what_each_is_alone(options: dict[str, Any]) -> None:
    data = make_data()
    heads = [
        Head(FOLDS[0], seed=0, lr=0.003, weight_decay=0.0),
        Head(FOLDS[1], seed=5, lr=0.3, weight_decay=0.1),
        Head(FOLDS[0], seed=0, lr=0.3, weight_decay=0.1),
        Head(FOLDS[0], seed=5, lr=0.03, weight_decay=0.0),
    ]
    trained = train_heads(make_head_parts(data, FOLDS[0], **options), data, heads, Observer())
    assert [each.head for each in trained] == heads
    for each in trained:
        assert_agrees(each, train_alone(data, each.head, **options))
    if "patience" in options:
        assert {each.stopped_early for each in trained} == {True, False}


@pytest.mark.parametrize("rows_at_a_time", [1024, 5])
def test_weighted_classes_are_those_of_the_training_part(
    rows_at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "FEATURE_BATCH", rows_at_a_time)
    monkeypatch.setattr(training, "FEATURE_BATCH", rows_at_a_time)
    data, options = make_data(), {"task": ClassificationTask(0.1, is_balanced=True)}
    heads = grid(FOLDS[:1], seeds=[2], rates=[0.01, 0.1], decays=[0.01])
    for each in train_heads(make_head_parts(data, FOLDS[0], **options), data, heads, Observer()):
        assert_agrees(each, train_alone(data, each.head, **options))


def test_a_head_is_what_a_plain_loop_of_torch_makes_of_it() -> None:
    data = make_data()
    parts = make_head_parts(data, FOLDS[1], epochs=1)
    heads = grid(FOLDS[1:], seeds=[4], rates=[0.02, 0.2], decays=[0.0, 0.3])
    schedule = build_schedule(parts.config.schedule, 1)
    for each in train_heads(parts, data, heads, Observer()):
        seed_torch(MODEL, 4)
        alone = nn.Linear(DEPTH, CLASSES)
        optimizer = torch.optim.AdamW(
            alone.parameters(), lr=1.0, weight_decay=each.head.weight_decay
        )
        order = training_order(len(FOLDS[1].train), parts.config.batch_size, 4, 0)
        for step, positions in enumerate(order):
            chosen = FOLDS[1].train[positions]
            loss = functional.cross_entropy(alone(data.features[chosen]), data.targets[chosen])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.param_groups[0]["lr"] = each.head.lr * schedule(step, len(order))
            optimizer.step()
        for name, tensor in alone.state_dict().items():
            torch.testing.assert_close(each.state[name], tensor, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("task", [ClassificationTask(), MlpTask()])
def test_a_head_that_diverges_fails_and_leaves_the_others_alone(task: ClassificationTask) -> None:
    data, options = make_data(), {"task": task, "optimizer": "sgd"}
    parts = make_head_parts(data, FOLDS[0], **options)
    heads = grid(FOLDS[:1], seeds=[0], rates=[1e30, 0.1, 1e38], decays=[0.01])
    trained = train_heads(parts, data, heads, Observer())
    assert ["epoch 1" in each.failure for each in trained] == [True, False, True]
    assert_agrees(trained[1], train_alone(data, heads[1], **options))
    assert select(trained, parts.metrics[0]) is trained[1]
    with pytest.raises(NumericalError, match=r"all 2 heads .* 1e\+30, 1e\+38"):
        train_heads(parts, data, [heads[0], heads[2]], Observer())
    with pytest.raises(NumericalError, match="none of 1 heads"):
        select(trained[:1], parts.metrics[0])


def test_the_same_heads_give_the_same_bytes_and_a_stack_that_is_cut_the_same_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = make_data()
    parts = make_head_parts(data, FOLDS[0])
    heads = grid(FOLDS[:1], seeds=[0], rates=[0.01, 0.1, 0.3], decays=[0.0])
    first, again = (train_heads(parts, data, heads, Observer()) for _ in range(2))
    monkeypatch.setattr(plan, "MOST_STACKED", 2 * (DEPTH + 1) * CLASSES)
    monkeypatch.setattr(rows, "CHUNK_BYTES", 3 * 9 * DEPTH * 4)
    cut = train_heads(parts, data, heads, Observer())
    assert list(plan.stacks(range(3), nn.Linear(DEPTH, CLASSES))) == [range(2), range(2, 3)]
    for one, two, three in zip(first, again, cut, strict=True):
        assert one.history == two.history
        for name, tensor in one.state.items():
            assert torch.equal(tensor, two.state[name])
            torch.testing.assert_close(tensor, three.state[name], rtol=0, atol=TOLERANCE)


def test_a_metric_of_rows_is_computed_for_each_head() -> None:
    data, options = make_data(), {"metric": ("auroc",)}
    heads = grid(FOLDS[:1], seeds=[0], rates=[0.01, 0.1], decays=[0.0])
    for each in train_heads(make_head_parts(data, FOLDS[0], **options), data, heads, Observer()):
        alone = train_alone(data, each.head, **options)
        assert [row.val["auroc"] for row in each.history] == pytest.approx(
            [row.val["auroc"] for row in alone.history]
        )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_features_of_any_type_are_trained_on_in_float32(dtype: torch.dtype) -> None:
    data = make_data()
    stored = replace(data, features=data.features.to(dtype))
    parts = make_head_parts(data, FOLDS[0], epochs=1)
    heads = grid(FOLDS[:1], seeds=[0], rates=[0.01], decays=[0.0])
    expected = train_heads(
        parts, replace(data, features=stored.features.float()), heads, Observer()
    )
    (found,) = train_heads(parts, stored, heads, Observer())
    for name, tensor in found.state.items():
        assert torch.equal(tensor, expected[0].state[name])


def test_training_stops_when_asked() -> None:
    data = make_data()
    heads = grid(FOLDS[:1], seeds=[0], rates=[0.01], decays=[0.0])
    with pytest.raises(StoppedError, match="after epoch 2"):
        train_heads(make_head_parts(data, FOLDS[0]), data, heads, StopAfter(2))


def test_accumulated_batches_are_refused() -> None:
    data = make_data()
    with pytest.raises(ConfigError, match="--accumulate is 2"):
        train_heads(make_head_parts(data, FOLDS[0], accumulate=2), data, [], Observer())


def test_no_heads_are_no_failure() -> None:
    data = make_data()
    assert train_heads(make_head_parts(data, FOLDS[0]), data, [], Observer()) == []
