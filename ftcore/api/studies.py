"""Studies: many runs of one or several configurations, by name."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ftcore.api.composition import compose
from ftcore.engine.checks import check_targets
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.errors import FtcoreError, UsageError
from ftcore.plugins import Plugins, plugin_manager
from ftcore.record import StudyRecord
from ftcore.studies.config import StudyConfig
from ftcore.studies.directory import StudyDirectory
from ftcore.studies.plan import Cell, plan_runs
from ftcore.studies.running import Workshop
from ftcore.studies.study import run_study


def study(
    config: StudyConfig | None = None,
    *,
    plugins: Plugins | None = None,
    observer: Observer | None = None,
    **options: Any,
) -> StudyRecord:
    """Run each configuration with so many folds and seeds, and say what they show together.

    `options` are `folds`, `seeds`, `jobs`, `out`, and the options of a run, each one value or a
    list of those to try: ftcore.study(freeze=["bottom", "none"], folds=5, seeds=3). A run that
    fails is named in the record. Raises what `ftcore.run` raises where no run can be made at all,
    and StoppedError where the observer asked to stop.
    """
    if config is not None and options:
        raise UsageError("give either a configuration or its fields, not both")
    config = config or StudyConfig.of(options, "ftcore.study")
    plugins, observer = plugins or plugin_manager(), observer or Observer()
    parts = first_parts(plan_runs(config), plugins)
    directory = StudyDirectory.create(config, parts.config.slug)
    return run_study(directory, workshop_of(plugins, config.jobs), parts, observer)


def resume_study(
    path: Path | str, *, plugins: Plugins | None = None, observer: Observer | None = None
) -> StudyRecord:
    """Go on with a stopped study; runs that are complete are not made again.

    Runs that failed are tried again. A study without failures that is complete is not touched.
    """
    plugins, observer = plugins or plugin_manager(), observer or Observer()
    directory = StudyDirectory.open(Path(path))
    config = directory.config()
    if directory.is_complete and not directory.record().failures:
        observer.note(f"{path} is complete; this is its result")
        return directory.record()
    parts = first_parts(plan_runs(config), plugins)
    return run_study(directory, workshop_of(plugins, config.jobs), parts, observer)


def first_parts(cells: Sequence[Cell], plugins: Plugins) -> RunParts:
    """Return the parts of the first configuration that can be run, or raise why none can."""
    failure: FtcoreError | None = None
    for cell in cells:
        try:
            parts = compose(cell.members[0].config, plugins)
            check_targets(parts.bundle, parts.task)
            return parts
        except FtcoreError as error:
            failure = failure or error
    assert failure is not None
    raise failure


def workshop_of(plugins: Plugins, jobs: int) -> Workshop:
    """Return how runs are made of what these plugins have: here, and `jobs` processes at once."""
    return Workshop(partial(compose, plugins=plugins), partial(_start, jobs=jobs))


def _start(path: Path, jobs: int) -> subprocess.Popen[str]:
    """Go on with the run in a folder, in a process of its own, with its share of the cores."""
    command = [sys.executable, "-m", "ftcore", "run", "--quiet", "--resume", str(path)]
    threads = max(1, (os.cpu_count() or 1) // jobs)
    environment = {"OMP_NUM_THREADS": str(threads), **os.environ}
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
