"""A run: freeze part of a backbone, train the rest, evaluate, write it all down."""

from __future__ import annotations

from collections.abc import Mapping

from ftcore.engine import checkpoint
from ftcore.engine.batches import Source
from ftcore.engine.device import deterministic, one_thread
from ftcore.engine.digests import combine, digests
from ftcore.engine.directory import RunDirectory
from ftcore.engine.features import compute_features
from ftcore.engine.freezing import check_unmoved
from ftcore.engine.observer import Observer
from ftcore.engine.preparation import Prepared, raw_source
from ftcore.engine.result import describe
from ftcore.engine.summary import prove
from ftcore.engine.training import Progress, Trainer
from ftcore.errors import StoppedError
from ftcore.interfaces import Statistics
from ftcore.record import FreezeRecord, Record


def run(prepared: Prepared, directory: RunDirectory, observer: Observer) -> Record:
    """Train and evaluate into `directory`, going on from its checkpoint where it has one."""
    observer.run_started(directory.path)
    try:
        with directory.locked(), deterministic():
            return _run(prepared, directory, observer)
    except StoppedError as stopped:
        raise StoppedError(f"{stopped}. Go on with: ftcore run --resume {directory.path}") from None


def _run(prepared: Prepared, directory: RunDirectory, observer: Observer) -> Record:
    sources = _sources(prepared, observer)
    before = digests(prepared.freezer.frozen_state())
    progress = _train(prepared, sources, combine(before), directory, observer)
    after = digests(prepared.freezer.frozen_state())
    check_unmoved(before, after)
    statistics = _test(prepared, sources["test"], observer)
    freeze = prove(prepared.freezer, before, after, prepared.cut.stages)
    record = _describe(prepared, progress, statistics, freeze, directory)
    directory.write_history(progress.history)
    directory.write_predictions(statistics, list(sources["test"].ids))
    directory.write_model(prepared.model)
    directory.finish(record)
    return record


def _sources(prepared: Prepared, observer: Observer) -> dict[str, Source]:
    """Where each part's inputs come from: features kept in memory above a cut, or raw examples."""
    parts, cut = prepared.parts, prepared.cut
    raw = {part: raw_source(parts, part) for part in parts.bundle.splits}
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
    frozen: str,
    directory: RunDirectory,
    observer: Observer,
) -> Progress:
    path = directory.checkpoint
    trainer = Trainer(
        prepared, sources, observer, lambda trainer: checkpoint.save(trainer, path, frozen)
    )
    if path.is_file():
        checkpoint.load(trainer, path, frozen)
        observer.note(f"going on from epoch {trainer.progress.epoch + 1}")
    is_head_alone = prepared.cut.stages == len(prepared.parts.backbone.stages)
    with prepared.timed("training"), one_thread(when=is_head_alone):
        return trainer.fit()


def _test(prepared: Prepared, source: Source, observer: Observer) -> Statistics:
    observer.step_started("test", len(source.targets), "examples")
    with prepared.timed("test"):
        statistics, _ = prepared.evaluator.statistics(prepared.suffix, source, observer)
    observer.step_finished()
    return statistics


def _describe(
    prepared: Prepared,
    progress: Progress,
    statistics: Statistics,
    freeze: FreezeRecord,
    directory: RunDirectory,
) -> Record:
    with prepared.timed("intervals"):
        record = describe(prepared.parts, statistics, prepared.machine)
    return record.model_copy(
        update={
            "kind": "run",
            "directory": str(directory.path),
            "history": tuple(progress.history),
            "best_epoch": progress.best_epoch,
            "freeze": freeze,
            "timings": prepared.seconds,
        }
    )
