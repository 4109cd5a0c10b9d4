"""What a run came to, and how it is written down: the last step of a run, whoever trained it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import nn

from ftcore.engine.baselines.making import Baselines
from ftcore.engine.device import Machine
from ftcore.engine.directory import RunDirectory
from ftcore.engine.duplicates.leaks import Leaks
from ftcore.engine.parts import Parts
from ftcore.engine.predictions import Predictions
from ftcore.engine.repeats import Repeat
from ftcore.engine.result import describe
from ftcore.interfaces import Statistics
from ftcore.record import (
    CalibrationRecord,
    EpochRecord,
    FeaturesRecord,
    FreezeRecord,
    Record,
    RepeatRecord,
    SearchRecord,
    finite_or_none,
)


@dataclass(frozen=True)
class Outcome:
    """A trained model, the statistics of its test part, and what it took."""

    model: nn.Sequential
    history: Sequence[EpochRecord]
    freeze: FreezeRecord
    statistics: Statistics
    ids: Sequence[str]  # of the test examples, in the order of the statistics' rows
    features: tuple[FeaturesRecord, ...]
    search: tuple[SearchRecord, ...]
    seconds: dict[str, float]
    repeats: tuple[Repeat, ...] = ()
    calibration: CalibrationRecord | None = None
    baselines: Baselines = field(default_factory=Baselines)
    leaks: Leaks | None = None  # None where nobody looked

    @property
    def best_epoch(self) -> int | None:
        """The epoch whose weights the model has."""
        return next((row.epoch for row in reversed(self.history) if row.is_best), None)


def conclude(outcome: Outcome, parts: Parts, machine: Machine, directory: RunDirectory) -> Record:
    """Return the record of a run, and write everything into its folder, the manifest last."""
    started = time.perf_counter()
    described = describe(parts, outcome.statistics, machine, outcome.baselines)
    leaks = outcome.leaks.describe(parts, outcome.statistics) if outcome.leaks else None
    seconds = outcome.seconds | {"intervals": time.perf_counter() - started}
    record = described.model_copy(
        update={
            "kind": "run",
            "directory": str(directory.path),
            "history": tuple(outcome.history),
            "best_epoch": outcome.best_epoch,
            "freeze": outcome.freeze,
            "search": outcome.search,
            "features": outcome.features,
            "calibration": outcome.calibration,
            "leaks": leaks,
            "timings": seconds,
            "repeats": tuple(_describe(each, parts) for each in outcome.repeats),
        }
    )
    directory.write_history(outcome.history)
    directory.write_predictions(Predictions.of(parts.task, outcome.statistics, outcome.ids))
    if outcome.repeats:
        rows = {each.seed: each.statistics.rows for each in outcome.repeats}
        directory.write_repeats(rows)
    if parts.config.save == "model":
        directory.write_model(outcome.model)
    directory.finish(record)
    return record


def _describe(repeat: Repeat, parts: Parts) -> RepeatRecord:
    metrics = {
        metric.name: finite_or_none(float(metric.compute(repeat.statistics)))
        for metric in parts.metrics
    }
    return RepeatRecord(seed=repeat.seed, metrics=metrics)
