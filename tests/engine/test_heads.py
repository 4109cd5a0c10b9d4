from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from ftcore.default_plugins.classification.task import ClassificationTask
from ftcore.engine.batches import CachedSource, training_order
from ftcore.engine.heads import Fold, Head, TrainedHead, grid, select, train_heads
from ftcore.engine.heads.plan import stacks
from ftcore.engine.observer import Observer
from ftcore.engine.optimization import build_schedule
from ftcore.engine.parts import RunParts
from ftcore.engine.preparation import prepare
from ftcore.engine.randomness import MODEL, seed_torch
from ftcore.engine.training import Progress, Trainer
from ftcore.errors import NumericalError, StoppedError
from ftcore.interfaces import Backbone, DataBundle, FreezePlan, Phase, Stage, Weights
from tests.engine.test_run import StopAfter, make_parts
from tests.tiny import Plain, Rows, ToFloat

CLASSES, DEPTH, COUNT = 3, 7, 53
TOLERANCE = 2e-5  # of weights near 1, after some 40 steps in float32
FOLDS = [
    Fold(torch.arange(0, 41), torch.arange(41, COUNT)),  # 41 = 5 x 8 + 1: the last batch has 9
    Fold(torch.arange(COUNT - 1, 14, -1), torch.arange(0, 15)),
]


@dataclass(frozen=True)
class MlpTask(ClassificationTask):
    """Classification with hidden units, dropout or BatchNorm, and another loss."""

    layer: Callable[[], nn.Module] = lambda: nn.Dropout(0.3)

    def build_head(self, backbone: Backbone, bundle: DataBundle) -> nn.Module:
        return nn.Sequential(
            nn.Linear(DEPTH, 6, bias=False), self.layer(), nn.ReLU(), nn.Linear(6, len(bundle.classes))
        )


def make_data() -> CachedSource:
    generator = torch.Generator().manual_seed(3)
    targets = torch.randint(CLASSES, (COUNT,), generator=generator)
    means = torch.randn(CLASSES, DEPTH, generator=generator)
    features = means[targets] + 1.5 * torch.randn(COUNT, DEPTH, generator=generator)
    return CachedSource(features, targets, [f"row {index}" for index in range(COUNT)])


def make_head_parts(data: CachedSource, fold: Fold, **options: Any) -> RunParts:
    """A run on the features of a fold: a backbone of one stage that hands them on."""
    rows = {"train": fold.train, "val": fold.val, "test": fold.val}
    splits = {
        name: Rows(data.features[i], data.targets[i], [data.ids[j] for j in i.tolist()])
        for name, i in rows.items()
    }
    names = tuple(f"class {index}" for index in range(CLASSES))
    bundle = DataBundle("features", "classification", splits, names)
    stages = (Stage("features", nn.Identity()),)
    backbone = Backbone("none", stages, DEPTH, ToFloat(), Weights("random"))
    task = options.pop("task", ClassificationTask())
    parts = make_parts(bundle, **{"epochs": 5, "device": "cpu", **options})
    return replace(parts, backbone=backbone, task=task)


def train_alone(data: CachedSource, head: Head, **options: Any) -> Progress:
    """What the real training loop makes of one head."""
    values = {"seed": head.seed, "lr": head.lr, "weight_decay": head.weight_decay}
    parts = make_head_parts(data, head.fold, **options, **values)
    module = parts.task.build_head(parts.backbone, parts.bundle)
    names = [f"head.{name}" for name, _ in module.named_parameters()]
    plan = FreezePlan((Phase(0, dict.fromkeys(names, 1.0)),))
    prepared = prepare(replace(parts, strategy=Plain(plan)), Observer())
    sources = {
        name: CachedSource(split.values, split.targets, split.ids)
        for name, split in parts.bundle.splits.items()
        if isinstance(split, Rows)
    }
    return Trainer(prepared, sources, Observer(), lambda _: None).fit()


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


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": "sgd"},
        {"optimizer": "sgd", "momentum": 0.0, "schedule": "step:every=2"},
        {"clip_norm": 0.1},
        {"patience": 1, "epochs": 12},
        {"task": ClassificationTask(label_smoothing=0.1)},
        {"task": MlpTask()},
        {"task": MlpTask(layer=lambda: nn.BatchNorm1d(6)), "patience": 1, "epochs": 8},
    ],
    ids=str,
)
def test_heads_together_are_what_each_is_alone(options: dict[str, Any]) -> None:
    data = make_data()
    heads = grid(FOLDS, seeds=[0, 5], rates=[0.003, 0.3], decays=[0.0, 0.1])
    trained = train_heads(make_head_parts(data, FOLDS[0], **options), data, heads, Observer())
    assert [each.head for each in trained] == heads
    for each in trained:
        assert_agrees(each, train_alone(data, each.head, **options))
    if "patience" in options:
        assert {each.stopped_early for each in trained} == {True, False}
