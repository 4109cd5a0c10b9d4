"""Comparisons of finished runs and studies, by their folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ftcore.errors import DataError, UsageError
from ftcore.interfaces import ComparableTask, Metric, Task
from ftcore.plugins import Plugins, plugin_manager
from ftcore.record import ComparisonRecord
from ftcore.studies.candidates import Candidate, read_candidates
from ftcore.studies.comparison import compare as compare_candidates


def compare(
    *paths: Path | str, metric: Sequence[str] = (), plugins: Plugins | None = None
) -> ComparisonRecord:
    """Say whether runs or studies differ, from what they said of the same test examples.

    `paths` are folders of runs or studies; the configurations of a study count as one each. All
    others are held against the first. `metric` are specs, by default those of the first.
    Raises DataError where they cannot be compared, and says why.
    """
    plugins = plugins or plugin_manager()
    candidates = [each for path in paths for each in read_candidates(Path(path))]
    if len(candidates) < 2:
        raise UsageError(
            "a comparison takes two runs or more, or a study with several configurations; "
            f"{len(candidates)} given"
        )
    candidates = _named_apart(candidates)
    config = candidates[0].record.config
    task: Task = plugins.create("tasks", str(config["task"]))
    if not isinstance(task, ComparableTask):
        raise DataError(
            f"task {task.name!r} keeps no row of each example, so that its runs cannot be compared"
        )
    specs = metric or [str(spec) for spec in config["metric"]]
    metrics: list[Metric] = [plugins.create("metrics", spec) for spec in specs]
    return compare_candidates(candidates, task, metrics)


def _named_apart(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates with a number where two have one name."""
    names = [each.name for each in candidates]
    return [
        replace(each, name=f"{each.name} ({index + 1})") if names.count(each.name) > 1 else each
        for index, each in enumerate(candidates)
    ]
