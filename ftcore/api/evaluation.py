"""Evaluate a finished run again, or a pretrained model with its own head."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from torch import nn

from ftcore.api.composition import make_backbone, make_config, make_metrics
from ftcore.config import RunConfig
from ftcore.engine.batches import RawSource
from ftcore.engine.checks import check_data
from ftcore.engine.device import Machine, deterministic
from ftcore.engine.directory import RunDirectory
from ftcore.engine.evaluation import Evaluator
from ftcore.engine.model import assemble
from ftcore.engine.observer import Observer
from ftcore.engine.partition import make_parts
from ftcore.engine.parts import Parts
from ftcore.engine.result import describe
from ftcore.engine.splits import align_classes, take_test
from ftcore.errors import DataError
from ftcore.interfaces import Backbone, DataBundle, Task
from ftcore.plugins import Plugins, plugin_manager
from ftcore.record import Record


def evaluate(
    run: Path | str | None = None,
    *,
    plugins: Plugins | None = None,
    observer: Observer | None = None,
    **options: Any,
) -> Record:
    """Score a finished run, or without `run` a pretrained model with the head it came with.

    `options` are fields of RunConfig. A run is scored on its own test part, or with `dataset` on
    that dataset's test part (its val or train part where it has no test), classes matched by
    name. Raises DataError where a class is unknown to the model, or the model has no head.
    """
    plugins, observer = plugins or plugin_manager(), observer or Observer()
    if run is None:
        return _evaluate_pretrained(make_config(None, options), plugins, observer)
    return _evaluate_run(RunDirectory.open(Path(run)), options, plugins, observer)


def _evaluate_run(
    directory: RunDirectory, options: dict[str, Any], plugins: Plugins, observer: Observer
) -> Record:
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
    parts = Parts(backbone, bundle, task, make_metrics(config, task, plugins), config)
    return _score(parts, model, observer).model_copy(
        update={"directory": str(directory.path), "weights": record.weights}
    )


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


def _evaluate_pretrained(config: RunConfig, plugins: Plugins, observer: Observer) -> Record:
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
    parts = Parts(backbone, bundle, task, make_metrics(config, task, plugins), config)
    stages = [stage.module for stage in backbone.head_stages]
    return _score(parts, nn.Sequential(*stages, backbone.head), observer)


def _score(parts: Parts, model: nn.Module, observer: Observer) -> Record:
    config, bundle = parts.config, parts.bundle
    check_data(bundle, parts.task, observer)
    machine = Machine.of(config)
    model.to(machine.device)
    source = RawSource(bundle.splits["test"], parts.backbone.preprocess, config.seed)
    evaluator = Evaluator(parts.task, bundle, parts.metrics, machine, config.workers)
    observer.step_started("evaluation", len(source.targets), "examples")
    started = time.perf_counter()
    with deterministic():
        statistics, _ = evaluator.statistics(model, source, observer)
    scored = time.perf_counter()
    observer.step_finished()
    record = describe(parts, statistics, machine)
    seconds = {"test": scored - started, "intervals": time.perf_counter() - scored}
    return record.model_copy(update={"timings": seconds})
