"""Evaluate a finished run again, or a pretrained model with its own head."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from ftcore.api.composition import (
    make_backbone,
    make_calibration,
    make_config,
    make_metrics,
)
from ftcore.config import RunConfig
from ftcore.engine.batches import RawSource
from ftcore.engine.calibration import Calibrator
from ftcore.engine.checks import check_data
from ftcore.engine.device import Machine, deterministic
from ftcore.engine.directory import RunDirectory
from ftcore.engine.evaluation import Evaluator
from ftcore.engine.model import assemble
from ftcore.engine.observer import Observer
from ftcore.engine.partition import make_parts
from ftcore.engine.parts import Parts
from ftcore.engine.result import describe
from ftcore.engine.robustness import Corrupted, choose_corruptions, evaluate_corrupted
from ftcore.engine.splits import align_classes, take_test
from ftcore.errors import DataError, UsageError
from ftcore.interfaces import Backbone, DataBundle, Task
from ftcore.plugins import Plugins, plugin_manager
from ftcore.record import Record


@dataclass(frozen=True)
class Subject:
    """What is evaluated: a model, and what it is to be held against."""

    parts: Parts
    model: nn.Module
    run: Record | None = None  # that the model comes from


def evaluate(
    run: Path | str | None = None,
    *,
    corruptions: str | None = None,
    severity: Sequence[int] = (),
    plugins: Plugins | None = None,
    observer: Observer | None = None,
    **options: Any,
) -> Record:
    """Score a finished run, or without `run` a pretrained model with the head it came with.

    `options` are fields of RunConfig. A run is scored on its own test part, or with `dataset` on
    that dataset's test part (its val or train part where it has no test), classes matched by
    name. `corruptions`, "all" or names joined with commas, scores it on damaged inputs as well, at
    each `severity` from 1 to 5 or at those given. Raises DataError where a class is unknown to the
    model, or the model has no head, and UsageError for corruptions that do not exist.
    """
    plugins, observer = plugins or plugin_manager(), observer or Observer()
    if severity and corruptions is None:
        raise UsageError(f"--severity {severity[0]} goes with --corruptions, which is not given")
    if run is None:
        subject = _pretrained(make_config(None, options), plugins)
    else:
        subject = _finished(RunDirectory.open(Path(run)), options, plugins)
    corrupted: Sequence[Corrupted] = ()
    if corruptions is not None:
        corrupted = choose_corruptions(subject.parts.backbone, corruptions, severity)
    record = _score(subject, corrupted, observer)
    if subject.run is None:
        return record
    return record.model_copy(update={"directory": str(run), "weights": subject.run.weights})


def _finished(directory: RunDirectory, options: dict[str, Any], plugins: Plugins) -> Subject:
    record = directory.record()
    own = directory.config()
    config = RunConfig.parse({**own.model_dump(), **options}, "ftcore evaluate")
    bundle: DataBundle = plugins.create("datasets", config.dataset)
    if config.dataset == own.dataset:
        bundle = make_parts(bundle, config)
    else:
        bundle = align_classes(take_test(bundle), record.classes)
    task: Task = plugins.create("tasks", config.task or bundle.task)
    backbone, model = restore(directory, record, plugins, bundle, task)
    return Subject(_parts(backbone, bundle, task, config, plugins), model, record)


def _parts(
    backbone: Backbone, bundle: DataBundle, task: Task, config: RunConfig, plugins: Plugins
) -> Parts:
    metrics = make_metrics(config, task, plugins)
    calibration = make_calibration(task, plugins)
    return Parts(backbone, bundle, task, metrics, config, calibration=calibration)


def restore(
    directory: RunDirectory, record: Record, plugins: Plugins, bundle: DataBundle, task: Task
) -> tuple[Backbone, nn.Sequential]:
    """Return the backbone and the whole model of a finished run, with its verified weights."""
    config = directory.config().model_copy(update={"weights": "none"})
    backbone = make_backbone(config, record.input_shape, plugins)
    model = assemble(backbone, task.build_head(backbone, bundle))
    try:
        model.load_state_dict(directory.model_state())
    except RuntimeError as error:
        raise DataError(
            f"the weights of {directory.path} do not fit backbone {config.backbone!r} as it is "
            f"now: {error}; install the version of the plugin that the run was made with"
        ) from error
    return backbone, model


def _pretrained(config: RunConfig, plugins: Plugins) -> Subject:
    bundle = take_test(plugins.create("datasets", config.dataset))
    backbone = make_backbone(config, bundle.input_shape, plugins)
    if backbone.head is None or not backbone.weights.is_pretrained:
        raise DataError(
            f"backbone {config.backbone!r} with weights {config.weights!r} has no pretrained head "
            "to evaluate; give --weights with a head, or the folder of a finished run"
        )
    if backbone.classes:
        bundle = align_classes(bundle, backbone.classes)
    task: Task = plugins.create("tasks", config.task or bundle.task)
    stages = [stage.module for stage in backbone.head_stages]
    model = nn.Sequential(*stages, backbone.head)
    return Subject(_parts(backbone, bundle, task, config, plugins), model)


def _score(subject: Subject, corrupted: Sequence[Corrupted], observer: Observer) -> Record:
    parts, model = subject.parts, subject.model
    config, bundle = parts.config, parts.bundle
    check_data(bundle, parts.task, observer)
    machine = Machine.of(config)
    model.to(machine.device)
    source = RawSource(bundle.splits["test"], parts.backbone.preprocess, config.seed)
    evaluator = Evaluator(parts.task, bundle, parts.metrics, machine, config.workers)
    calibrator = _calibrator(subject)
    observer.step_started("evaluation", len(source.targets), "examples")
    started = time.perf_counter()
    with deterministic():
        statistics, _ = evaluator.statistics(
            model, source, observer, watch=calibrator.add if calibrator else None
        )
    scored = time.perf_counter()
    observer.step_finished()
    record = describe(parts, statistics, machine)
    found: dict[str, Any] = {"calibration": calibrator.describe() if calibrator else None}
    seconds = {"test": scored - started, "intervals": time.perf_counter() - scored}
    if corrupted:
        started, clean = time.perf_counter(), (source, statistics)
        with deterministic():
            found["corruptions"] = evaluate_corrupted(evaluator, model, corrupted, clean, observer)
        seconds["corruptions"] = time.perf_counter() - started
    return record.model_copy(update={**found, "timings": seconds})


def _calibrator(subject: Subject) -> Calibrator | None:
    """Whatever the dataset, the temperature is the one that the run fitted on its val part."""
    fitted = subject.run.calibration if subject.run is not None else None
    return None if fitted is None else Calibrator.at(subject.parts, fitted.temperature, fitted.n)
