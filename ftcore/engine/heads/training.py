"""The epochs of many heads: the same steps, validation and early stopping as in a run alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from ftcore.engine.batches import sequential_order, training_order
from ftcore.engine.device import one_thread
from ftcore.engine.evaluation import FEATURE_BATCH, standing
from ftcore.engine.heads.functional import ModuleStack
from ftcore.engine.heads.linear import LinearStack
from ftcore.engine.heads.optimizer import StackedOptimizer
from ftcore.engine.heads.plan import Head, groups, stacks
from ftcore.engine.heads.rows import Chunk, Examples, RowReader
from ftcore.engine.heads.scoring import Score, Scorer
from ftcore.engine.heads.stack import Stack
from ftcore.engine.observer import Observer
from ftcore.engine.optimization import build_schedule
from ftcore.engine.parts import Parts
from ftcore.engine.randomness import MODEL, STEP, seed_torch
from ftcore.errors import ConfigError, NumericalError, StoppedError
from ftcore.interfaces import Loss
from ftcore.ops.cross_entropy import CrossEntropy
from ftcore.record import EpochRecord


@dataclass
class TrainedHead:
    """How one head fared; `state` holds the weights of its best epoch, by its module's names."""

    head: Head
    history: list[EpochRecord] = field(default_factory=list)
    state: dict[str, Tensor] = field(default_factory=dict)
    stopped_early: bool = False
    failure: str = ""  # what was not finite, and when; empty for a head that can be used

    @property
    def best(self) -> EpochRecord | None:
        """The epoch whose weights are kept."""
        return next((row for row in reversed(self.history) if row.is_best), None)


def train_heads(
    parts: Parts, data: Examples, heads: Sequence[Head], observer: Observer
) -> list[TrainedHead]:
    """Train every head on features (N, ...) and return how each fared, in the order given.

    A head comes out as if a run trained it alone on the features of its fold: the same first
    weights and batches, the same formulas of loss, clipping, AdamW or SGD, schedule, best epoch
    and patience, in float32 where the features lie. Sums are rounded in another order, which moves
    a weight by 1e-7, or by up to 1e-5 where AdamW divides a gradient by one as small. History
    scores the first metric only. Weights of classes are those of `parts.bundle`, in every fold.

    Heads that share fold and seed are trained side by side, in one product of matrices where they
    are linear under a `CrossEntropy`. One that stops early or fails leaves the others at once.
    Raises NumericalError where no head is left, StoppedError where the observer asks to stop,
    ConfigError where batches are to be accumulated.
    """
    if parts.config.accumulate > 1:
        raise ConfigError(
            f"heads that are trained together take a step each batch, but --accumulate is "
            f"{parts.config.accumulate}; set it to 1 and raise --batch-size"
        )
    trained, rows = [TrainedHead(head) for head in heads], RowReader(data)
    observer.step_started("training heads", len(heads), "heads")
    # One product is too small to be worth a second thread, which waits longer than it helps.
    with one_thread(when=data.features.device.type == "cpu"), torch.no_grad():
        for (_, seed), indices in groups(heads).items():
            seed_torch(MODEL, seed)
            module = parts.task.build_head(parts.backbone, parts.bundle).to(data.features.device)
            for chosen in stacks(indices, module):
                StackTrainer(parts, rows, module, [trained[i] for i in chosen]).fit(observer)
                observer.advanced(len(chosen))
    observer.step_finished()
    _check_any(trained)
    return trained


class StackTrainer:
    """Trains heads that see the same batches, from the same first weights."""

    def __init__(
        self, parts: Parts, rows: RowReader, module: nn.Module, trained: Sequence[TrainedHead]
    ) -> None:
        self.parts, self.rows, self.config = parts, rows, parts.config
        self.metric = parts.metrics[0]
        self.active = list(trained)
        self.held_out: list[tuple[Any, Tensor]] = []  # kept where it is one batch
        self.fold, self.seed = trained[0].head.fold, trained[0].head.seed
        self.schedule = build_schedule(self.config.schedule, self.config.epochs)
        self.stack = build_stack(module, len(trained), parts.task.build_loss(parts.bundle))
        heads = [each.head for each in trained]
        self.optimizer = StackedOptimizer(self.stack, heads, self.config)

    def fit(self, observer: Observer) -> None:
        """Train to the end, or until no head is left."""
        for epoch in range(self.config.epochs):
            losses = self._train_epoch(epoch)
            self._record(epoch, losses, self._validate())
            if not self.active:
                break
            if observer.should_stop():
                raise StoppedError(f"Stopped while heads were trained, after epoch {epoch + 1}")

    def _train_epoch(self, epoch: int) -> list[float]:
        """Return each head's mean loss over the examples of the epoch."""
        order = training_order(len(self.fold.train), self.config.batch_size, self.seed, epoch)
        steps = self.steps = len(order)
        losses = torch.empty(steps, len(self.active), device=self.stack.parameters[0].device)
        rows = losses.unbind()
        chunks = self.rows.chunks(self.fold.train, order)
        for step, batch in enumerate(each for chunk in chunks for each in self._batches(chunk)):
            if self.stack.is_random:
                seed_torch(STEP, self.seed, epoch, step)
            self.stack.backward(batch, rows[step])
            self.optimizer.step(self.schedule(epoch * steps + step, steps))
        sizes = torch.tensor([len(batch) for batch in order], dtype=torch.float64)
        mean: list[float] = (sizes @ losses.double().cpu() / sizes.sum()).tolist()
        return mean

    def _validate(self) -> Sequence[Score]:
        task, bundle = self.parts.task, self.parts.bundle
        scorer = Scorer(task, bundle, self.metric, len(self.active))
        for batch, targets in self.held_out or self._held_out():
            scorer.add(*self.stack.evaluate(batch), targets)
        return scorer.scores()

    def _held_out(self) -> Iterator[tuple[Any, Tensor]]:
        """Yield the batches of validation and their targets; a single one is kept."""
        order = sequential_order(len(self.fold.val), FEATURE_BATCH)
        for chunk in self.rows.chunks(self.fold.val, order):
            if len(order) == 1:
                chunk = replace(chunk, features=chunk.features.clone())
            targets = chunk.targets.split_with_sizes(chunk.sizes)
            pairs = list(zip(self._batches(chunk), targets, strict=True))
            if len(order) == 1:
                self.held_out = pairs
            yield from pairs

    def _batches(self, chunk: Chunk) -> list[Any]:
        return self.stack.batches(chunk.features, chunk.targets, chunk.sizes)

    def _record(self, epoch: int, losses: Sequence[float], scores: Sequence[Score]) -> None:
        factor = self.schedule((epoch + 1) * self.steps - 1, self.steps)
        going_on = []
        for index, (each, loss, score) in enumerate(zip(self.active, losses, scores, strict=True)):
            if not (score.is_finite and abs(loss) < float("inf")):
                each.failure = f"the loss or an output is not finite in epoch {epoch + 1}"
                continue
            row = EpochRecord(
                epoch=epoch,
                learning_rate=each.head.lr * factor,
                train_loss=loss,
                val_loss=score.loss,
                val={self.metric.name: score.value},
                is_best=self._is_best(each.best, score),
            )
            each.history.append(row)
            if row.is_best:
                each.state = self.stack.state(index)
            each.stopped_early = self._is_patience_over(each, epoch)
            if not each.stopped_early:
                going_on.append(index)
        self._keep(going_on)

    def _is_best(self, best: EpochRecord | None, score: Score) -> bool:
        if best is None:
            return True
        then = standing(self.metric, best.val[self.metric.name], best.val_loss)
        return standing(self.metric, score.value, score.loss) > then

    def _is_patience_over(self, each: TrainedHead, epoch: int) -> bool:
        patience, best = self.config.patience, each.best
        if patience is None or best is None or epoch + 1 == self.config.epochs:
            return False
        return epoch - best.epoch >= patience

    def _keep(self, indices: Sequence[int]) -> None:
        if len(indices) == len(self.active):
            return
        self.active = [self.active[index] for index in indices]
        if indices:
            self.stack.keep(indices)
            self.optimizer.keep(indices)


def build_stack(module: nn.Module, count: int, loss: Loss) -> Stack[Any]:
    """Return the fastest way to train `count` heads like `module` under `loss`."""
    if type(module) is nn.Linear and isinstance(loss, CrossEntropy):
        return LinearStack(module, count, loss)
    return ModuleStack(module, count, loss)


def _check_any(trained: Sequence[TrainedHead]) -> None:
    if trained and all(each.failure for each in trained):
        rates = ", ".join(f"{rate:.3g}" for rate in sorted({each.head.lr for each in trained}))
        raise NumericalError(
            f"all {len(trained)} heads failed, at the learning rates {rates}: "
            f"{trained[0].failure}; lower --lr, set --clip-norm, or look at the features"
        )
