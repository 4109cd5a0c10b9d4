"""A run: freeze part of a backbone, train the rest, evaluate, write it all down."""

from __future__ import annotations

from torch import nn

from ftcore.engine import checkpoint
from ftcore.engine.baselines import make_after, make_before
from ftcore.engine.batches import Source
from ftcore.engine.calibration import Calibrator, fit_calibrator
from ftcore.engine.device import deterministic
from ftcore.engine.digests import combine, digests
from ftcore.engine.directory import RunDirectory
from ftcore.engine.duplicates.leaks import Leaks, find_leaks
from ftcore.engine.features.feeds import Feed
from ftcore.engine.freezing import check_unmoved
from ftcore.engine.observer import Observer
from ftcore.engine.outcome import Outcome, conclude
from ftcore.engine.planning import keep_plan
from ftcore.engine.preparation import Prepared
from ftcore.engine.repeats import Repeat, repeat
from ftcore.engine.search import is_searched, search
from ftcore.engine.summary import prove
from ftcore.engine.training import Progress, Trainer
from ftcore.errors import DataError, NumericalError, StoppedError
from ftcore.interfaces import Phase, Statistics
from ftcore.record import CalibrationRecord, Record


def run(prepared: Prepared, directory: RunDirectory, observer: Observer) -> Record:
    """Train and evaluate into `directory`, going on from its checkpoint where it has one."""
    observer.run_started(directory.path)
    try:
        with directory.locked(), deterministic():
            return _run(prepared, directory, observer)
    except StoppedError as stopped:
        raise StoppedError(f"{stopped}. Go on with: ftcore run --resume {directory.path}") from None


def _run(prepared: Prepared, directory: RunDirectory, observer: Observer) -> Record:
    feed = _feed(prepared, directory)
    keep_plan(prepared.parts, prepared.freezer.plan, directory)
    if is_searched(prepared.parts.config):
        with prepared.timed("search"):
            prepared.parts, prepared.search = search(prepared.parts, feed, observer)
    baselines = make_before(prepared, feed, observer)
    leaks = _find_leaks(prepared, feed, directory, observer)
    before = digests(prepared.freezer.frozen_state())
    progress = _train(prepared, combine(before), directory, observer)
    after = digests(prepared.freezer.frozen_state())
    check_unmoved(before, after)
    statistics, calibration = _test(prepared, feed, observer)
    repeats = _repeat(prepared, feed, observer)
    make_after(baselines, prepared, directory, observer)
    outcome = Outcome(
        model=prepared.model,
        history=progress.history,
        freeze=prove(prepared.freezer, before, after, feed.stages),
        statistics=statistics,
        ids=feed.sources["test"].ids,
        features=prepared.feeder.describe([row.epoch for row in progress.history]),
        search=prepared.search,
        repeats=repeats,
        seconds=prepared.seconds,
        calibration=calibration,
        baselines=baselines,
        leaks=leaks,
    )
    return conclude(outcome, prepared.parts, prepared.machine, directory)


def _feed(prepared: Prepared, directory: RunDirectory) -> Feed:
    """What comes out of the stages that are frozen throughout; nothing is left of bad data."""
    try:
        with prepared.timed("frozen features"):
            return prepared.feeder.throughout()
    except (DataError, NumericalError):
        directory.remove_if_fresh()
        raise


def _find_leaks(
    prepared: Prepared, feed: Feed, directory: RunDirectory, observer: Observer
) -> Leaks:
    """Which test examples are in train or val as well; nothing is left of data that is bad."""
    try:
        with prepared.timed("leaks"):
            return find_leaks(prepared.parts, prepared.feeder.raw, feed.sources, observer)
    except DataError:
        directory.remove_if_fresh()
        raise


def _train(
    prepared: Prepared, frozen: str, directory: RunDirectory, observer: Observer
) -> Progress:
    path = directory.checkpoint

    def feed(phase: Phase) -> Feed:
        with prepared.timed("frozen features"):
            return prepared.feeder.in_phase(phase)

    trainer = Trainer(
        prepared, feed, observer, lambda trainer: checkpoint.save(trainer, path, frozen)
    )
    if path.is_file():
        checkpoint.load(trainer, path, frozen)
        observer.note(f"going on from epoch {trainer.progress.epoch + 1}")
    with prepared.timed("training"):
        return trainer.fit()


def _test(
    prepared: Prepared, feed: Feed, observer: Observer
) -> tuple[Statistics, CalibrationRecord | None]:
    model, source = prepared.model[feed.stages :], feed.sources["test"]
    calibrator = _fit_calibrator(prepared, model, feed.sources["val"], observer)
    observer.step_started("test", len(source.targets), "examples")
    with prepared.timed("test"):
        statistics, _ = prepared.evaluator.statistics(
            model, source, observer, watch=calibrator.add if calibrator else None
        )
    observer.step_finished()
    if calibrator is None:
        return statistics, None
    with prepared.timed("calibration"):
        return statistics, calibrator.describe()


def _fit_calibrator(
    prepared: Prepared, model: nn.Module, val: Source, observer: Observer
) -> Calibrator | None:
    parts = prepared.parts
    if not parts.calibration:
        return None
    with prepared.timed("calibration"):
        return fit_calibrator(parts, prepared.evaluator, model, val, observer)


def _repeat(prepared: Prepared, feed: Feed, observer: Observer) -> tuple[Repeat, ...]:
    if not prepared.repeats:
        return ()
    with prepared.timed("repeats"):
        return repeat(prepared.parts, prepared.repeats, feed, prepared.evaluator, observer)
