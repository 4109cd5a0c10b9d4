"""A run: choose a backbone, freeze part of it, train the rest, evaluate."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from torch import nn

from ftcore.engine import checkpoint
from ftcore.engine.batches import RawSource, Source
from ftcore.engine.checks import check_data
from ftcore.engine.device import Machine, deterministic, one_thread
from ftcore.engine.digests import combine, digests
from ftcore.engine.directory import RunDirectory
from ftcore.engine.evaluation import Evaluator
from ftcore.engine.features import Cut, choose_cut, compute_features
from ftcore.engine.freezing import Freezer, check_plan, check_unmoved
from ftcore.engine.model import assemble
from ftcore.engine.observer import Observer
from ftcore.engine.optimization import Factor, build_schedule, default_learning_rate
from ftcore.engine.parts import RunParts
from ftcore.engine.randomness import MODEL, seed_torch
from ftcore.engine.result import describe
from ftcore.engine.summary import prove
from ftcore.engine.training import Progress, Trainer
from ftcore.errors import StoppedError
from ftcore.interfaces import Statistics
from ftcore.record import Record


@dataclass
class Prepared:
    """A model under its freeze plan, the learning rate, and how far it is a fixed function."""

    parts: RunParts
    model: nn.Sequential
    freezer: Freezer
    machine: Machine
    cut: Cut
    rate: float
    schedule: Factor
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Add the wall time of the block to `seconds`."""
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


def run(prepared: Prepared, directory: RunDirectory, observer: Observer) -> Record:
    """Train and evaluate into `directory`, going on from its checkpoint where it has one."""
    observer.run_started(directory.path)
    try:
        return _run(prepared, directory, observer)
    except StoppedError as stopped:
        raise StoppedError(f"{stopped}; go on with: ftcore run --resume {directory.path}") from None


def _run(prepared: Prepared, directory: RunDirectory, observer: Observer) -> Record:
    with deterministic():
        sources = _sources(prepared, observer)
        before = digests(prepared.freezer.frozen_state())
        progress = _train(prepared, sources, before, directory, observer)
        after = digests(prepared.freezer.frozen_state())
        check_unmoved(before, after)
        statistics = _test(prepared, sources["test"], observer)
    with prepared.timed("intervals"):
        record = _describe(prepared, progress, statistics, (before, after), directory)
    directory.write_history(progress.history)
    directory.write_predictions(statistics, list(sources["test"].ids))
    directory.write_model(prepared.model)
    directory.finish(record)
    return record


def _describe(
    prepared: Prepared,
    progress: Progress,
    statistics: Statistics,
    frozen: tuple[Mapping[str, str], Mapping[str, str]],
    directory: RunDirectory,
) -> Record:
    parts = prepared.parts
    record = describe(parts, statistics, prepared.machine)
    return record.model_copy(
        update={
            "kind": "run",
            "directory": str(directory.path),
            "history": tuple(progress.history),
            "best_epoch": progress.best_epoch,
            "freeze": prove(prepared.freezer, *frozen, prepared.cut.stages),
            "timings": prepared.seconds,
        }
    )


def prepare(parts: RunParts, observer: Observer) -> Prepared:
    """Check the data, put the head on, and freeze; nothing is trained or written yet."""
    config = parts.config
    machine = Machine.of(config)
    schedule = build_schedule(config.schedule, config.epochs)
    start = time.perf_counter()
    check_data(parts.bundle, parts.task, observer)
    checked = time.perf_counter() - start
    seed_torch(MODEL, config.seed)
    head = parts.task.build_head(parts.backbone, parts.bundle)
    model = assemble(parts.backbone, head).to(machine.device).to(memory_format=machine.layout)
    plan = parts.strategy.plan(parts.backbone, head, config.epochs)
    check_plan(plan, model, config.epochs)
    freezer = Freezer(model, plan)
    freezer.enter(plan.phases[0])
    examples = sum(len(split) for split in parts.bundle.splits.values())
    cut = choose_cut(model, plan, _raw(parts, "train"), examples, config)
    rate = config.lr or default_learning_rate(plan, parts.backbone.weights)
    seconds = {"data check": checked}
    return Prepared(parts, model, freezer, machine, cut, rate, schedule, seconds)


def _raw(parts: RunParts, part: str) -> RawSource:
    preprocess = parts.backbone.preprocess
    if part == "train" and parts.config.augment != "none":
        preprocess = preprocess.augmented(parts.config.augment)
    return RawSource(parts.bundle.splits[part], preprocess, parts.config.seed)


def _sources(prepared: Prepared, observer: Observer) -> dict[str, Source]:
    """Where each part's inputs come from: features kept in memory above a cut, or raw examples."""
    parts, cut = prepared.parts, prepared.cut
    raw = {part: _raw(parts, part) for part in parts.bundle.splits}
    if cut.stages == 0:
        return dict(raw)
    prefix = prepared.model[: cut.stages]
    total = sum(len(source.targets) for source in raw.values())
    observer.step_started("computing frozen features", total, "examples")
    with prepared.timed("frozen features"):
        sources: dict[str, Source] = {
            part: compute_features(prefix, source, prepared.machine, parts.config.workers, observer)
            for part, source in raw.items()
        }
    observer.step_finished()
    return sources


def _train(
    prepared: Prepared,
    sources: Mapping[str, Source],
    frozen: Mapping[str, str],
    directory: RunDirectory,
    observer: Observer,
) -> Progress:
    parts, config = prepared.parts, prepared.parts.config
    digest = combine(frozen)
    trainer = Trainer(
        model=prepared.model[prepared.cut.stages :],
        freezer=prepared.freezer,
        train=sources["train"],
        val=sources["val"],
        loss=parts.task.build_loss(parts.bundle),
        evaluator=_evaluator(prepared),
        config=config,
        rate=prepared.rate,
        schedule=prepared.schedule,
        machine=prepared.machine,
        observer=observer,
        save=lambda trainer: checkpoint.save(trainer, directory.checkpoint, digest),
    )
    if directory.checkpoint.is_file():
        checkpoint.load(trainer, directory.checkpoint, digest)
        observer.note(f"going on from epoch {trainer.progress.epoch + 1}")
    is_head_alone = prepared.cut.stages == len(parts.backbone.stages)
    with prepared.timed("training"), one_thread(when=is_head_alone):
        return trainer.fit()


def _evaluator(prepared: Prepared) -> Evaluator:
    parts = prepared.parts
    workers = parts.config.workers
    return Evaluator(parts.task, parts.bundle, parts.metrics, prepared.machine, workers)


def _test(prepared: Prepared, source: Source, observer: Observer) -> Statistics:
    model = prepared.model[prepared.cut.stages :]
    observer.step_started("test", len(source.targets), "examples")
    with prepared.timed("test"):
        statistics, _ = _evaluator(prepared).statistics(model, source, observer)
    observer.step_finished()
    return statistics
