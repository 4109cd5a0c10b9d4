"""Run, resume, and plan without running."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftcore.api.composition import compose, make_config, show_notes
from ftcore.config import RunConfig
from ftcore.engine import run as engine
from ftcore.engine.directory import RunDirectory
from ftcore.engine.features import Cut
from ftcore.engine.observer import Observer
from ftcore.engine.preparation import prepare
from ftcore.engine.summary import summarize
from ftcore.plugins import Plugins, plugin_manager
from ftcore.record import Record, StageRecord


@dataclass(frozen=True)
class Plan:
    """What a run would do: the stages, bottom first, and the learning rate of the head."""

    stages: tuple[StageRecord, ...]
    rate: float
    cache: str
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "stages": [stage.model_dump() for stage in self.stages],
            "learning_rate": self.rate,
            "cache": self.cache,
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
    parts = compose(directory.config(), plugins or plugin_manager())
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
    cut = prepared.cut
    return Plan(
        stages=summarize(prepared.model, prepared.freezer.plan, cut.stages),
        rate=prepared.rate,
        cache=_explain(cut),
        notes=tuple(filter(None, (parts.backbone.weights.note, *parts.bundle.notes))),
    )


def _explain(cut: Cut) -> str:
    if cut.stages:
        return f"{cut.stages} stages computed once, {cut.bytes_per_example:,} bytes an example"
    return f"off, {cut.reason}"
