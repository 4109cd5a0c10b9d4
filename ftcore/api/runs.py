"""Run, resume, and plan without running."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftcore.api.composition import compose, make_config, show_notes
from ftcore.config import RunConfig
from ftcore.engine import run as engine
from ftcore.engine.directory import RunDirectory
from ftcore.engine.features.feeds import Feeder
from ftcore.engine.observer import Observer
from ftcore.engine.planning import as_planned
from ftcore.engine.preparation import prepare
from ftcore.engine.summary import summarize
from ftcore.plugins import Plugins, plugin_manager
from ftcore.record import Record, StageRecord, format_bytes


@dataclass(frozen=True)
class Plan:
    """What a run would do: the stages, bottom first, and the learning rate of the head."""

    stages: tuple[StageRecord, ...]
    rate: float | None  # None where it is searched for
    cache: tuple[str, ...]  # a line for each cut
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "stages": [stage.model_dump() for stage in self.stages],
            "learning_rate": self.rate,
            "cache": list(self.cache),
            "notes": list(self.notes),
        }


def run(
    config: RunConfig | None = None,
    *,
    plugins: Plugins | None = None,
    observer: Observer | None = None,
    **options: Any,
) -> Record:
    """Fine-tune and evaluate; write everything into a new folder below `config.out`.

    Raises a child of FtcoreError that says what is wrong: UsageError for a name that is not
    registered, ConfigError and DataError for what is refused before training, NumericalError
    for a loss that is not finite, StoppedError where the observer asked to stop.
    """
    config = make_config(config, options)
    observer = observer or Observer()
    parts = compose(config, plugins or plugin_manager())
    show_notes(parts, observer)
    prepared = prepare(parts, observer)
    directory = RunDirectory.create(prepared.parts.config)
    return engine.run(prepared, directory, observer)


def resume(
    path: Path | str, *, plugins: Plugins | None = None, observer: Observer | None = None
) -> Record:
    """Go on with a stopped run, to the same bytes as if it had not been stopped.

    A run that is complete is not run again: its record is returned. DataError where `path` is no
    run, or its frozen weights are no longer those it started with.
    """
    observer = observer or Observer()
    directory = RunDirectory.open(Path(path))
    if directory.is_complete:
        observer.note(f"{path} is complete; this is its result")
        return directory.record()
    parts = as_planned(compose(directory.config(), plugins or plugin_manager()), directory)
    return engine.run(prepare(parts, observer), directory, observer)


def plan(
    config: RunConfig | None = None,
    *,
    plugins: Plugins | None = None,
    observer: Observer | None = None,
    **options: Any,
) -> Plan:
    """Return what a run would train and keep frozen, without training."""
    config = make_config(config, options)
    parts = compose(config, plugins or plugin_manager())
    prepared = prepare(parts, observer or Observer())
    feeder = prepared.feeder
    return Plan(
        stages=summarize(prepared.model, prepared.freezer.plan, feeder.cuts.throughout),
        rate=None if prepared.parts.config.lr == "auto" else prepared.rate,
        cache=_explain(feeder),
        notes=tuple(filter(None, (parts.backbone.weights.note, *parts.bundle.notes))),
    )


def _explain(feeder: Feeder) -> tuple[str, ...]:
    """One line a cut: what is kept below it, where, and why."""
    if feeder.keep == "off":
        return (f"off: {feeder.reason}",)
    names = [name for name, _ in feeder.stages.model.named_children()]
    lines = []
    for cost in feeder.costs:
        when = "" if cost.stages == feeder.cuts.throughout else " in the phases that freeze them"
        lines.append(
            f"{names[0]} to {names[cost.stages - 1]} computed once{when} and kept "
            f"{'in memory' if feeder.keep == 'memory' else 'on disk'}: {cost.bytes_per_example:,} "
            f"bytes an example, {format_bytes(cost.bytes)} in all ({feeder.reason})"
        )
    return tuple(lines)
