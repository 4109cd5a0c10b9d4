"""A study on the tiny backbone and dataset, made in this process."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ftcore.config import RunConfig
from ftcore.engine.observer import Observer
from ftcore.engine.partition import make_parts as cut
from ftcore.engine.parts import RunParts
from ftcore.record import StudyRecord
from ftcore.studies.config import StudyConfig
from ftcore.studies.directory import StudyDirectory
from ftcore.studies.plan import plan_runs
from ftcore.studies.running import Workshop
from ftcore.studies.study import run_study
from tests.engine.test_run import make_parts
from tests.tiny import make_bundle

FAST = {"epochs": 2, "batch_size": 8, "lr": 0.01, "metric": ("accuracy", "nll")}


def compose(config: RunConfig) -> RunParts:
    parts = make_parts(make_bundle(train=60), **config.model_dump())
    metric = {"metric": config.metric or ("accuracy", "nll"), "task": "classification"}
    return replace(
        parts,
        bundle=cut(parts.dataset, config),
        config=config.model_copy(update=metric),
        backbone=replace(parts.backbone, weights=replace(parts.backbone.weights, name="made up")),
    )


def start(path: Path) -> subprocess.Popen[str]:
    raise NotImplementedError("these runs are made in this process")


def make_study(
    folder: Path,
    observer: Observer | None = None,
    compose: Callable[[RunConfig], RunParts] = compose,
    **options: Any,
) -> tuple[StudyRecord, StudyDirectory]:
    config = StudyConfig.of({**FAST, "out": folder, **options}, "the test")
    directory = StudyDirectory.create(config, "tiny")
    return continue_study(directory, observer, compose), directory


def continue_study(
    directory: StudyDirectory,
    observer: Observer | None = None,
    compose: Callable[[RunConfig], RunParts] = compose,
) -> StudyRecord:
    # The parts say which task and metrics all runs have; any run's will do.
    first = plan_runs(directory.config())[0].members[0]
    parts = compose_plain(first.config)
    return run_study(directory, Workshop(compose, start), parts, observer or Observer())


compose_plain = compose
