"""A study: its runs are made, then looked at together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from ftcore.engine.device import Machine, environment
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.errors import StoppedError
from ftcore.interfaces import ComparableTask
from ftcore.record import CellRecord, ComparisonRecord, Record, StudyRecord
from ftcore.studies.candidates import Candidate, Scored
from ftcore.studies.comparison import compare
from ftcore.studies.directory import StudyDirectory
from ftcore.studies.plan import Cell, plan_runs
from ftcore.studies.running import Result, Runner, Workshop
from ftcore.studies.summary import describe_cell


def run_study(
    directory: StudyDirectory,
    workshop: Workshop,
    parts: RunParts,
    observer: Observer,
    command: str = "study",
) -> StudyRecord:
    """Make the runs that are not there yet, and write what all say together.

    `parts` are those of any run: all have its task and metrics. `command` is the one that goes on
    where the study is stopped.
    """
    config = directory.config()
    cells = plan_runs(config)
    observer.run_started(directory.path)
    try:
        with directory.locked():
            started = time.perf_counter()
            results = Runner(directory, workshop, observer, config.jobs).run(cells)
            seconds = {"runs": time.perf_counter() - started}
            record = _describe(directory, cells, results, parts, seconds)
            directory.finish(record)
            return record
    except StoppedError as stopped:
        raise StoppedError(
            f"{stopped}. Go on with: ftcore {command} --resume {directory.path}"
        ) from None


def _describe(
    directory: StudyDirectory,
    cells: Sequence[Cell],
    results: Sequence[Sequence[Result]],
    parts: RunParts,
    seconds: dict[str, float],
) -> StudyRecord:
    started = time.perf_counter()
    config = directory.config()
    candidates = [
        _candidate(directory, cell, own) for cell, own in zip(cells, results, strict=True)
    ]
    described = [
        describe_cell(cell, own, parts.task, parts.metrics, runs)
        for cell, own, runs in zip(cells, results, candidates, strict=True)
    ]
    comparison, notes = _compare(described, candidates, parts)
    made = [result.record for own in results for result in own if result.record is not None]
    return StudyRecord(
        directory=str(directory.path),
        folds=config.folds,
        seeds=config.seeds,
        cells=tuple(described),
        comparison=comparison,
        notes=(*_notes(made), *notes),
        config=config.model_dump(mode="json"),
        timings=seconds | {"statistics": time.perf_counter() - started},
        environment=environment(Machine.of(cells[0].members[0].config)),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _candidate(directory: StudyDirectory, cell: Cell, results: Sequence[Result]) -> Candidate:
    runs = []
    for result in results:
        finished = directory.finished(result.member)
        if result.record is not None and finished is not None:
            member = result.member
            runs.append(Scored(member.fold, member.seed, result.record, finished.predictions()))
    return Candidate(cell.label, tuple(runs))


def _compare(
    cells: Sequence[CellRecord], candidates: Sequence[Candidate], parts: RunParts
) -> tuple[ComparisonRecord | None, tuple[str, ...]]:
    """Compare the configuration with the best mean with the others, where that can be done."""
    name = parts.metrics[0].name
    whole = [
        (cell, candidate)
        for cell, candidate in zip(cells, candidates, strict=True)
        if cell.metrics
        and cell.metrics[name].value is not None
        and not any(run.failure for run in cell.runs)
    ]
    if len(whole) < 2 or not isinstance(parts.task, ComparableTask):
        return None, ()
    sign = 1 if parts.metrics[0].higher_is_better else -1
    whole.sort(key=lambda pair: -sign * (pair[0].metrics[name].value or 0.0))
    ordered = [candidate for _, candidate in whole]
    found = compare(ordered, parts.task, parts.metrics[:1])
    note = (
        "the best of several was chosen by the scores it is shown with, which flatter it a little"
    )
    return found, (note,)


def _notes(records: Sequence[Record]) -> tuple[str, ...]:
    notes = list(dict.fromkeys(note for record in records for note in record.notes))
    leaked = [record.leaks.leaked for record in records if record.leaks and record.leaks.leaked]
    if leaked:
        notes.append(
            f"in {len(leaked)} of {len(records)} runs test examples have copies in train, up to "
            f"{max(leaked):,} of them; each run's record has its scores without them"
        )
    return tuple(notes)
