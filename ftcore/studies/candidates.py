"""What is compared: a run, or all runs of one configuration, and what they said of each example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ftcore.engine.directory import RunDirectory
from ftcore.engine.needs import needs_of
from ftcore.engine.predictions import Predictions
from ftcore.errors import DataError
from ftcore.interfaces import ComparableTask, Metric, Statistics
from ftcore.record import Record
from ftcore.studies.directory import StudyDirectory
from ftcore.studies.plan import plan_runs


@dataclass(frozen=True)
class Scored:
    """One finished run."""

    fold: int | None
    seed: int
    record: Record
    predictions: Predictions


@dataclass(frozen=True)
class Candidate:
    """The finished runs of one configuration, folds before seeds.

    A run alone comes first, before its heads with other seeds.
    """

    name: str
    runs: tuple[Scored, ...]
    is_run: bool = False

    @property
    def record(self) -> Record:
        """The record of one of the runs, which agree in all but fold and seed."""
        return self.runs[0].record

    @property
    def examples(self) -> int:
        """How many examples it was tested on, each once."""
        return sum(len(self.of_fold(fold)[0].predictions.ids) for fold in self.folds)

    @property
    def test_over_train(self) -> float:
        """Test examples over all others, the mean over the runs."""
        sizes = [run.record.counts.splits for run in self.runs]
        return float(np.mean([each["test"] / (each["train"] + each["val"]) for each in sizes]))

    @property
    def folds(self) -> tuple[int | None, ...]:
        """The folds, in order; one None where there are none."""
        return tuple(dict.fromkeys(run.fold for run in self.runs))

    def of_fold(self, fold: int | None) -> tuple[Scored, ...]:
        """Return the runs that were tested on one fold, one for each seed."""
        return tuple(run for run in self.runs if run.fold == fold)


def read_candidates(path: Path) -> list[Candidate]:
    """Return the run in a folder, or each configuration of the study in it.

    Raises DataError where there is neither, or nothing finished.
    """
    if not StudyDirectory.is_study(path):
        return [Candidate(path.name or str(path), _with_repeats(RunDirectory.open(path)), True)]
    directory = StudyDirectory.open(path)
    cells = plan_runs(directory.config())
    candidates = []
    for cell in cells:
        found = [(member, directory.finished(member)) for member in cell.members]
        runs = tuple(_read(each, member.fold) for member, each in found if each is not None)
        if runs:
            name = path.name if len(cells) == 1 else cell.label
            candidates.append(Candidate(name, runs))
    if not candidates:
        raise DataError(f"no run of the study in {path} is finished")
    return candidates


def _read(directory: RunDirectory, fold: int | None) -> Scored:
    record = directory.record()
    return Scored(fold, record.seed, record, directory.predictions())


def _with_repeats(directory: RunDirectory) -> tuple[Scored, ...]:
    """Return the run, and beside it its heads with other seeds."""
    own = _read(directory, None)
    values = {each.seed: each.metrics for each in own.record.repeats}
    return own, *(
        Scored(None, seed, _valued(own.record, values[seed]), predictions)
        for seed, predictions in directory.repeats().items()
    )


def _valued(record: Record, values: Mapping[str, float | None]) -> Record:
    """Return the record with other values and without intervals."""
    metrics = {
        name: metric.model_copy(update={"value": values[name], "low": None, "high": None})
        for name, metric in record.metrics.items()
    }
    return record.model_copy(update={"metrics": metrics})


def align(run: Scored, ids: Sequence[str]) -> Predictions:
    """Return a run's rows in the order of `ids`, which are the same examples."""
    own = run.predictions
    if list(own.ids) == list(ids):
        return own
    place = {name: index for index, name in enumerate(own.ids)}
    order = torch.tensor([place[name] for name in ids])
    return Predictions(ids, {name: row[order] for name, row in own.rows.items()}, own.version)


def statistics_of(
    runs: Sequence[Scored], ids: Sequence[str], task: ComparableTask, metrics: Sequence[Metric]
) -> list[Statistics]:
    """Return the statistics of each run, with rows in the order of `ids`."""
    needs = needs_of(metrics)
    return [align(run, ids).statistics(task, run.record.classes, needs) for run in runs]


def check_comparable(candidates: Sequence[Candidate]) -> None:
    """Raise DataError unless all were scored on the same examples, in the same way; say why not."""
    first = candidates[0]
    for other in candidates[1:]:
        _check_scoring(first, other)
        if set(first.folds) != set(other.folds):
            raise DataError(
                f"{first.name} and {other.name} cannot be compared: they were tested on other "
                f"folds, {_folds(first)} and {_folds(other)}; compare studies of equal --folds"
            )
    for fold in first.folds:
        runs = [(each.name, run) for each in candidates for run in each.of_fold(fold)]
        for name, run in runs[1:]:
            _check_examples(runs[0], (name, run))


def _check_scoring(first: Candidate, other: Candidate) -> None:
    ours, theirs = first.runs[0], other.runs[0]
    for what, mine, yours in (
        ("tasks", ours.record.task, theirs.record.task),
        ("classes", ours.record.classes, theirs.record.classes),
        ("versions of the task's rows", ours.predictions.version, theirs.predictions.version),
    ):
        if mine != yours:
            raise DataError(
                f"{first.name} and {other.name} cannot be compared: they have other {what}, "
                f"{_short(mine)} and {_short(yours)}"
            )


def _check_examples(first: tuple[str, Scored], other: tuple[str, Scored]) -> None:
    (name, mine), (others_name, theirs) = first, other
    ours, yours = mine.predictions, theirs.predictions
    common = set(ours.ids) & set(yours.ids)
    if len(common) < max(len(ours.ids), len(yours.ids)):
        raise DataError(
            f"{name} and {others_name} cannot be compared: they were tested on other examples, "
            f"{len(ours.ids):,} and {len(yours.ids):,}, of which {len(common):,} are the same; "
            "use one --dataset and one --split-seed for both"
        )
    targets, aligned = ours.rows.get("target"), align(theirs, ours.ids).rows.get("target")
    if targets is None or aligned is None:
        return
    wrong = (targets != aligned).nonzero().flatten().tolist()
    if wrong:
        raise DataError(
            f"{name} and {others_name} cannot be compared: the example {ours.ids[wrong[0]]!r} has "
            f"another label in each ({len(wrong):,} such examples in all)"
        )


def _folds(candidate: Candidate) -> str:
    folds = [fold + 1 for fold in candidate.folds if fold is not None]
    return f"folds {', '.join(map(str, folds))}" if folds else "no folds"


def _short(value: object) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
