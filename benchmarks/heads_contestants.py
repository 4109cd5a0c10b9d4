"""Ways to train many linear heads on the same features: together, or one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from ftcore.config import RunConfig
from ftcore.default_plugins.classification.task import ClassificationTask
from ftcore.default_plugins.classification_metrics import accuracy
from ftcore.engine.batches import CachedSource, training_order
from ftcore.engine.features.feeds import Feed
from ftcore.engine.features.segment import Rows
from ftcore.engine.heads import Examples, Fold, Head, TrainedHead, train_heads
from ftcore.engine.observer import Observer
from ftcore.engine.optimization import build_schedule
from ftcore.engine.parts import RunParts
from ftcore.engine.preparation import Prepared, prepare
from ftcore.engine.randomness import MODEL, seed_torch
from ftcore.engine.training import Trainer
from ftcore.interfaces import Backbone, DataBundle, FreezePlan, Phase, Stage, Weights

Batches: TypeAlias = Iterator[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Plain:
    """A split, a preprocessing and a freezing strategy that do nothing, for features as inputs."""

    examples: Examples
    is_random: bool = False

    @property
    def ids(self) -> Sequence[str]:
        return [f"row {index}" for index in range(len(self))]

    @property
    def targets(self) -> Tensor:
        return self.examples.targets

    def __len__(self) -> int:
        return len(self.examples.targets)

    def inputs(self, indices: Sequence[int]) -> Sequence[Any]:
        return self.examples.features[torch.as_tensor(indices)]  # type: ignore[return-value]

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        return [self.ids[index] for index in indices]

    @property
    def feed(self) -> CachedSource:
        rows = torch.arange(len(self))[None]
        return CachedSource(Rows([self.examples.features]), rows, self.targets, self.ids)

    def __call__(self, raw: Any, seeds: Sequence[int] = ()) -> Any:
        return raw

    def describe(self) -> dict[str, str]:
        return {"kind": "features"}

    def plan(self, backbone: Backbone, head: nn.Module, epochs: int) -> FreezePlan:
        return FreezePlan((Phase(0, {"head.weight": 1.0, "head.bias": 1.0}),))


@dataclass(frozen=True)
class Problem:
    """Features of blobs, one a class, and the heads to be trained on them."""

    data: Examples
    heads: Sequence[Head]
    epochs: int

    def together(self) -> list[TrainedHead]:
        parts = _parts(self, self.heads[0])
        return train_heads(parts, self.data, self.heads, Observer())

    def one_by_one(self, count: int) -> list[nn.Linear]:
        """A lean loop: autograd, torch.optim.AdamW, batches by index_select."""
        return [_train(self, head, _lean_batches) for head in self.heads[:count]]

    def by_loader(self, count: int) -> list[nn.Linear]:
        """The same loop with a TensorDataset and a DataLoader, as it is mostly written."""
        return [_train(self, head, _loader_batches) for head in self.heads[:count]]

    def prepared(self, count: int) -> list[Prepared]:
        """What `by_trainer` trains; made before, since checking the data is not training."""
        return [prepare(_parts(self, head), Observer()) for head in self.heads[:count]]

    def by_trainer(self, prepared: Sequence[Prepared]) -> None:
        """ftcore's loop for any model."""
        for each in prepared:
            splits: Any = each.parts.bundle.splits
            feed = Feed(1, {name: split.feed for name, split in splits.items()})
            Trainer(each, partial(_same, feed), Observer(), lambda _: None).fit()


def make_problem(
    shape: tuple[int, int, int], classes: int, depth: int, rows: int, epochs: int
) -> Problem:
    """Return folds x seeds x rates heads on `rows` rows, a fifth of which each fold leaves out."""
    folds, seeds, rates = shape
    generator = torch.Generator().manual_seed(0)
    targets = torch.arange(rows) % classes
    means = torch.randn(classes, depth, generator=generator) / 10
    features = means[targets] + torch.randn(rows, depth, generator=generator) / 2
    order = torch.randperm(rows, generator=generator)
    parts = [order[start::5].sort().values for start in range(folds)]
    heads = [
        Head(fold, seed, 1e-3 * 2**rate, 0.01)
        for fold in [Fold(_without(rows, part), part) for part in parts]
        for seed in range(seeds)
        for rate in range(rates)
    ]
    return Problem(Examples(features, targets), heads, epochs)


def _without(rows: int, part: Tensor) -> Tensor:
    kept = torch.ones(rows, dtype=torch.bool)
    kept[part] = False
    return kept.nonzero().flatten()


def _parts(problem: Problem, head: Head) -> RunParts:
    data = problem.data
    rows = {"train": head.fold.train, "val": head.fold.val, "test": head.fold.val}
    splits = {name: Plain(Examples(data.features[i], data.targets[i])) for name, i in rows.items()}
    classes = tuple(str(index) for index in range(int(data.targets.max()) + 1))
    bundle = DataBundle("blobs", "classification", splits, classes)
    plain: Any = splits["train"]
    stages = (Stage("features", nn.Identity()),)
    backbone = Backbone("none", stages, data.features.size(1), plain, Weights("random"))
    values = {"seed": head.seed, "lr": head.lr, "weight_decay": head.weight_decay}
    config = RunConfig.parse({"epochs": problem.epochs, "device": "cpu", "cache": "off", **values})
    return RunParts(backbone, bundle, UncheckedTask(), [accuracy()], config, plain, bundle)


class UncheckedTask(ClassificationTask):
    """Folds of few rows may lack a class, which is nothing to a clock."""

    def check(self, bundle: DataBundle) -> None:
        return None


def _same(feed: Feed, phase: Phase) -> Feed:
    return feed


def _lean_batches(examples: Examples, head: Head, epoch: int, size: int) -> Batches:
    train = head.fold.train
    for positions in training_order(len(train), size, head.seed, epoch):
        rows = train[torch.tensor(positions)]
        yield examples.features.index_select(0, rows), examples.targets[rows]


def _loader_batches(examples: Examples, head: Head, epoch: int, size: int) -> Batches:
    train = head.fold.train
    dataset = TensorDataset(examples.features[train], examples.targets[train])
    yield from DataLoader(dataset, size, shuffle=True)


def _train(problem: Problem, head: Head, batches: Callable[..., Batches]) -> nn.Linear:
    features, targets = problem.data.features, problem.data.targets
    val = head.fold.val
    config = RunConfig.parse({"epochs": problem.epochs})
    schedule = build_schedule(config.schedule, config.epochs)
    steps = len(training_order(len(head.fold.train), config.batch_size, head.seed, 0))
    seed_torch(MODEL, head.seed)
    model = nn.Linear(features.size(1), int(targets.max()) + 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, weight_decay=head.weight_decay)
    best, state = (-1.0, 0.0), {}
    for epoch in range(config.epochs):
        for step, (rows, labels) in enumerate(
            batches(problem.data, head, epoch, config.batch_size)
        ):
            loss = cross_entropy(model(rows), labels)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            factor = schedule(epoch * steps + step, steps)
            optimizer.param_groups[0]["lr"] = head.lr * factor
            optimizer.step()
        with torch.no_grad():
            logits = model(features.index_select(0, val))
            right = float((logits.argmax(1) == targets[val]).float().mean())
            score = (right, -float(cross_entropy(logits, targets[val])))
        if score > best:
            best, state = score, {k: v.clone() for k, v in model.state_dict().items()}
    model.load_state_dict(state)
    return model
