"""Features of made-up examples, and what the training loop for any model makes of a head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from ftcore.default_plugins.classification.task import ClassificationTask
from ftcore.engine.batches import CachedSource
from ftcore.engine.features.feeds import Feed
from ftcore.engine.features.segment import Rows as FeatureRows
from ftcore.engine.heads import Examples, Fold, Head
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.engine.preparation import prepare
from ftcore.engine.training import Progress, Trainer
from ftcore.interfaces import Backbone, DataBundle, FreezePlan, Phase, Stage, Weights
from tests.engine.test_run import make_parts
from tests.tiny import Plain, Rows, ToFloat

CLASSES, DEPTH, COUNT = 3, 7, 53
TOLERANCE = 2e-5  # of weights up to 3, after up to 45 steps in float32; AdamW magnifies rounding
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
            nn.Linear(DEPTH, 6, bias=False),
            self.layer(),
            nn.ReLU(),
            nn.Linear(6, len(bundle.classes)),
        )


def make_data() -> Examples:
    generator = torch.Generator().manual_seed(3)
    targets = torch.randint(CLASSES, (COUNT,), generator=generator)
    means = torch.randn(CLASSES, DEPTH, generator=generator)
    features = means[targets] + 1.5 * torch.randn(COUNT, DEPTH, generator=generator)
    return Examples(features, targets)


def make_head_parts(data: Examples, fold: Fold, **options: Any) -> RunParts:
    """A run on the features of a fold: a backbone of one stage that hands them on."""
    indices = {"train": fold.train, "val": fold.val, "test": fold.val}
    splits = {
        name: Rows(data.features[i], data.targets[i], [f"row {j}" for j in i.tolist()])
        for name, i in indices.items()
    }
    names = tuple(f"class {index}" for index in range(CLASSES))
    bundle = DataBundle("features", "classification", splits, names)
    stages = (Stage("features", nn.Identity()),)
    backbone = Backbone("none", stages, DEPTH, ToFloat(), Weights("random"))
    task = options.pop("task", ClassificationTask())
    parts = make_parts(bundle, **{"epochs": 5, "device": "cpu", **options})
    return replace(parts, backbone=backbone, task=task)


def train_alone(data: Examples, head: Head, **options: Any) -> Progress:
    """What the real training loop makes of one head."""
    values = {"seed": head.seed, "lr": head.lr, "weight_decay": head.weight_decay}
    parts = make_head_parts(data, head.fold, **options, **values)
    module = parts.task.build_head(parts.backbone, parts.bundle)
    names = [f"head.{name}" for name, _ in module.named_parameters()]
    strategy = Plain(FreezePlan((Phase(0, dict.fromkeys(names, 1.0)),)))
    prepared = prepare(replace(parts, strategy=strategy), Observer())
    sources = {
        name: CachedSource(
            FeatureRows([split.values]), torch.arange(len(split))[None], split.targets, split.ids
        )
        for name, split in parts.bundle.splits.items()
        if isinstance(split, Rows)
    }
    return Trainer(prepared, lambda _: Feed(1, sources), Observer(), lambda _: None).fit()
