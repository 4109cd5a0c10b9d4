"""Evaluate logits that another tool stored."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from ftcore.api.composition import make_metrics
from ftcore.config import LogitsConfig
from ftcore.engine.device import Machine
from ftcore.engine.observer import Observer
from ftcore.engine.result import measure
from ftcore.engine.stored import StoredOutputs, StoredSplit, score
from ftcore.errors import DataError
from ftcore.interfaces import DataBundle
from ftcore.plugins import Plugins, plugin_manager
from ftcore.record import LogitsRecord, Record

TASK = "classification"


def evaluate_logits(
    *, plugins: Plugins | None = None, observer: Observer | None = None, **options: Any
) -> Record:
    """Score logits (N, C) in a file against targets (N,), in memory that does not grow with N * C.

    `options` are fields of LogitsConfig. Raises DataError where a file is damaged or does not fit,
    and NumericalError, naming the first row, where logits are not finite.
    """
    plugins, observer = plugins or plugin_manager(), observer or Observer()
    config = LogitsConfig.parse(options, "ftcore evaluate")
    task = plugins.create("tasks", TASK)
    metrics = make_metrics(config, task, plugins)
    outputs = StoredOutputs.open(config.logits, config.targets, config.ignore_index)
    bundle = _bundle(config, outputs)
    task.check(bundle)
    machine = Machine(torch.device("cpu"), "fp32", torch.contiguous_format)
    observer.step_started("evaluation", len(outputs.logits), "rows")
    started = time.perf_counter()
    statistics = score(outputs, task, bundle, metrics, observer)
    scored = time.perf_counter()
    observer.step_finished()
    record = measure(task, bundle, metrics, statistics, machine)
    stored = outputs.logits
    return record.model_copy(
        update={
            "logits": LogitsRecord(
                file=str(stored.path),
                bytes=stored.end - stored.offset,
                dtype=str(stored.dtype).removeprefix("torch."),
            ),
            "counts": record.counts.model_copy(update={"ignored": outputs.ignored}),
            "config": config.model_dump(mode="json"),
            "timings": {"test": scored - started, "intervals": time.perf_counter() - scored},
        }
    )


def _bundle(config: LogitsConfig, outputs: StoredOutputs) -> DataBundle:
    classes = outputs.logits.shape[1]
    names = tuple(map(str, range(classes)))
    if config.classes is not None:
        names = _read_names(config.classes, classes)
    return DataBundle(str(config.logits), TASK, {"test": StoredSplit(outputs)}, names)


def _read_names(path: Path, classes: int) -> tuple[str, ...]:
    try:
        names = tuple(path.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise DataError(f"cannot read the classes in {path}: {reason}") from error
    blank = [number for number, name in enumerate(names, start=1) if not name.strip()]
    if blank:
        raise DataError(f"line {blank[0]} of {path} is blank; give each class a name, one a line")
    if len(names) != classes:
        raise DataError(
            f"{path} has {len(names)} lines, but the logits have {classes} columns; give the names "
            "of the classes, one a line, in the order of the columns"
        )
    return names
