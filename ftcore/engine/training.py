"""The training loop: phases, steps, validation, the best weights, and a state that resumes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ftcore.engine.batches import Batch, Source, load_batches, to_device, training_order
from ftcore.engine.device import one_thread
from ftcore.engine.digests import digests
from ftcore.engine.evaluation import standing
from ftcore.engine.features.feeds import Feed
from ftcore.engine.freezing import check_unmoved
from ftcore.engine.observer import Observer
from ftcore.engine.optimization import build_optimizer, set_rates
from ftcore.engine.preparation import Prepared
from ftcore.engine.randomness import STEP, seed_torch
from ftcore.errors import NumericalError, StoppedError
from ftcore.interfaces import Phase
from ftcore.record import EpochRecord

SAVE_SECONDS = 600  # at most so much work is lost to a kill, however long an epoch is


@dataclass
class Progress:
    """How far training has come; with the moving tensors, all that a resumed run needs."""

    epoch: int = 0
    batch: int = 0  # batches of this epoch that are done
    loss_sum: float = 0.0  # over the examples of this epoch so far
    history: list[EpochRecord] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)  # a copy of the moving state

    @property
    def best_epoch(self) -> int | None:
        """The epoch whose weights are kept."""
        return next((row.epoch for row in reversed(self.history) if row.is_best), None)

    @property
    def epochs_since_best(self) -> int:
        """Epochs trained after the best one."""
        best = self.best_epoch
        return 0 if best is None else self.history[-1].epoch - best


class Trainer:
    """Trains the part of a model above the cut, under its freeze plan."""

    def __init__(
        self,
        prepared: Prepared,
        feed: Callable[[Phase], Feed],
        observer: Observer,
        save: Callable[[Trainer], None],
    ) -> None:
        parts = prepared.parts
        self.config = parts.config
        self.freezer = prepared.freezer
        self.machine = prepared.machine
        self.evaluator, self.timed = prepared.evaluator, prepared.timed
        self._feed_of, self._backbone_stages = feed, len(parts.backbone.stages)
        self.feed = Feed(0, prepared.feeder.raw)
        self.loss = parts.task.build_loss(parts.bundle)
        self.rate, self.schedule = prepared.rate, prepared.schedule
        self.observer, self.save = observer, save
        self.progress = Progress()
        self._saved_at = time.monotonic()
        self.optimizer = build_optimizer(self.freezer.model, self.freezer.plan, self.config)
        self.scaler = torch.amp.GradScaler(
            self.machine.device.type, enabled=self.machine.precision == "fp16"
        )
        self.steps_in_epoch = -(-len(self._order(epoch=0)) // self.config.accumulate)
        self._guard: tuple[Phase, dict[str, str]] | None = None

    @property
    def train(self) -> Source:
        """The training examples, as the current phase takes them."""
        return self.feed.sources["train"]

    @property
    def model(self) -> nn.Sequential:
        """The part of the model above the current phase's cut."""
        return self.freezer.model[self.feed.stages :]

    def fit(self) -> Progress:
        """Train from where the progress stands to the end, and load the best weights."""
        try:
            while self.progress.epoch < self.config.epochs and not self._is_patience_over():
                phase = self._enter_phase()
                is_head_alone = self.feed.stages == self._backbone_stages
                with one_thread(when=is_head_alone):
                    self._train_epoch(phase)
                    self._validate()
                self.progress.epoch += 1
                self.progress.batch, self.progress.loss_sum = 0, 0.0
                self._save()
        except StoppedError:
            self._save()
            raise
        self._check_phase()
        if self.progress.best:
            self.freezer.model.load_state_dict(self.progress.best, strict=False)
        return self.progress

    def _save(self) -> None:
        self.save(self)
        self._saved_at = time.monotonic()

    def _is_patience_over(self) -> bool:
        patience = self.config.patience
        return patience is not None and self.progress.epochs_since_best >= patience

    def _train_epoch(self, phase: Phase) -> None:
        config, progress = self.config, self.progress
        order = self._order(progress.epoch)
        self.observer.step_started(f"epoch {progress.epoch + 1}", len(order), "batches")
        self.observer.advanced(progress.batch)
        group: list[Batch] = []
        for batch in load_batches(
            self.train, order[progress.batch :], epoch=progress.epoch, workers=config.workers
        ):
            group.append(batch)
            if len(group) < config.accumulate and progress.batch + len(group) < len(order):
                continue
            rate = self._rate(progress.batch // config.accumulate)
            set_rates(self.optimizer, self.freezer.plan, phase, rate)
            self._step(group)
            progress.batch += len(group)
            self.observer.advanced(len(group))
            group = []
            self._stop_if_asked()
            if time.monotonic() - self._saved_at > SAVE_SECONDS:
                self._save()
        self.observer.step_finished()

    def _order(self, epoch: int) -> list[list[int]]:
        """The epoch's batches of indices."""
        config = self.config
        return training_order(len(self.train.targets), config.batch_size, config.seed, epoch)

    def _enter_phase(self) -> Phase:
        """Freeze as the epoch's phase says; what the phase before froze must not have moved."""
        phase = self.freezer.plan.phase_at(self.progress.epoch)
        if self._guard is None or self._guard[0] != phase:
            self._check_phase()
            # What a single phase freezes is frozen throughout, which the run looks at itself.
            is_only = len(self.freezer.plan.phases) == 1
            self._guard = phase, {} if is_only else digests(self.freezer.frozen_state(phase))
            self.feed = self._feed_of(phase)
        self.freezer.enter(phase)
        return phase

    def _check_phase(self) -> None:
        if self._guard is not None:
            phase, before = self._guard
            state = self.freezer.frozen_state(phase)
            check_unmoved(before, digests({name: state[name] for name in before}))

    def _rate(self, step: int) -> float:
        """The head's learning rate at a step of the current epoch."""
        done = self.progress.epoch * self.steps_in_epoch + step
        return self.rate * self.schedule(done, self.steps_in_epoch)

    def _step(self, group: Sequence[Batch]) -> None:
        progress = self.progress
        examples = sum(len(batch.indices) for batch in group)
        self.optimizer.zero_grad(set_to_none=True)
        for offset, batch in enumerate(group):
            seed_torch(STEP, self.config.seed, progress.epoch, progress.batch + offset)
            inputs = to_device(batch.inputs, self.machine.device, self.machine.layout)
            with self.machine.autocast():
                loss = self.loss(self.model(inputs), batch.targets.to(self.machine.device))
            value = float(loss.detach())
            if not torch.isfinite(loss.detach()):
                raise self._not_finite("the loss", batch, progress.batch + offset)
            progress.loss_sum += value * len(batch.indices)
            self.scaler.scale(loss * (len(batch.indices) / examples)).backward()  # type: ignore[no-untyped-call]
        self.scaler.unscale_(self.optimizer)
        self._check_gradients(group)
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def _check_gradients(self, group: Sequence[Batch]) -> None:
        parameters = [p for g in self.optimizer.param_groups for p in g["params"]]
        limit = self.config.clip_norm or float("inf")
        norm = nn.utils.clip_grad_norm_(parameters, limit)
        # A scaled fp16 gradient may overflow; the scaler then skips the step and scales down.
        if not torch.isfinite(norm) and not self.scaler.is_enabled():
            raise self._not_finite("the gradient", group[-1], self.progress.batch + len(group) - 1)

    def _not_finite(self, what: str, batch: Batch, index: int) -> NumericalError:
        ids = ", ".join(repr(self.train.ids[i]) for i in batch.indices[:3])
        return NumericalError(
            f"{what} is not finite in epoch {self.progress.epoch + 1}, batch {index + 1} "
            f"(examples {ids}, …), at learning rate {self.optimizer.param_groups[0]['lr']:.3g}; "
            "lower --lr, set --clip-norm, or look at these examples"
        )

    def _stop_if_asked(self) -> None:
        if self.observer.should_stop():
            epoch, batch = self.progress.epoch + 1, self.progress.batch
            raise StoppedError(f"Stopped in epoch {epoch} after batch {batch}")

    def _validate(self) -> None:
        progress, val = self.progress, self.feed.sources["val"]
        self.observer.step_started(f"validation {progress.epoch + 1}", len(val.targets), "examples")
        with self.timed("validation"):
            statistics, loss = self.evaluator.statistics(self.model, val, self.observer, self.loss)
        self.observer.step_finished()
        values = {
            name: None if value != value else value
            for name, value in self.evaluator.values(statistics).items()
        }
        row = EpochRecord(
            epoch=progress.epoch,
            learning_rate=self._rate(self.steps_in_epoch - 1),
            train_loss=progress.loss_sum / len(self.train.targets),
            val_loss=loss,
            val=values,
            is_best=self._is_best(values, loss),
        )
        progress.history.append(row)
        if row.is_best:
            # Cloned: the optimizer goes on writing into the tensors of the model.
            progress.best = {k: v.clone() for k, v in self.freezer.moving_state().items()}
        self.observer.epoch_finished(row, self.config.epochs)

    def _is_best(self, values: dict[str, float | None], loss: float | None) -> bool:
        """Whether the first metric is better than ever, or as good at a lower loss."""
        metric = self.evaluator.metrics[0]
        best = next((row for row in reversed(self.progress.history) if row.is_best), None)
        if best is None:
            return True
        then = standing(metric, best.val[metric.name], best.val_loss)
        return standing(metric, values[metric.name], loss) > then
