"""Predict with a finished run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from ftcore.api.evaluation import restore
from ftcore.engine.batches import to_device
from ftcore.engine.device import Machine, deterministic
from ftcore.engine.directory import RunDirectory
from ftcore.engine.observer import Observer
from ftcore.errors import DataError, NumericalError, UsageError
from ftcore.interfaces import CalibratedTask, DataBundle, Inputs, Preprocess, Raw, Task
from ftcore.plugins import Plugins, plugin_manager
from ftcore.record import Record

BATCH = 64


@dataclass(frozen=True)
class Prediction:
    """What the model says of one example; the class by name where the run has names."""

    id: str
    prediction: str | float
    confidence: float | None


def predict(
    run: Path | str,
    paths: Iterable[Path | str],
    *,
    calibrated: bool = False,
    plugins: Plugins | None = None,
    observer: Observer | None = None,
) -> list[Prediction]:
    """Return a prediction for every example in the files and folders `paths`, in order.

    With `calibrated` the confidences are those at the temperature that the run fitted on its val
    part. Raises DataError naming a path that does not exist or cannot be read, before any result,
    and UsageError where the run has no temperature.
    """
    plugins, observer = plugins or plugin_manager(), observer or Observer()
    directory = RunDirectory.open(Path(run))
    record, config = directory.record(), directory.config()
    bundle = DataBundle(config.dataset, record.task, {}, record.classes, record.input_shape)
    task: Task = plugins.create("tasks", record.task)
    backbone, model = restore(directory, record, plugins, bundle, task)
    decode = _calibrated(task, record, directory.path) if calibrated else task.decode
    machine = Machine.of(config)
    model.to(machine.device).eval()
    predictions: list[Prediction] = []
    with torch.no_grad(), deterministic():
        examples = _read(backbone.preprocess, paths)
        while batch := list(islice(examples, BATCH)):
            inputs = backbone.preprocess([raw for _, raw in batch])
            with machine.autocast():
                outputs = model(to_device(inputs, machine.device, machine.layout))
            ids = [name for name, _ in batch]
            predictions += _name(ids, decode(outputs), record.classes)
            observer.advanced(len(batch))
    return predictions


def _calibrated(task: Task, record: Record, path: Path) -> Callable[[Inputs], Mapping[str, Tensor]]:
    fitted = record.calibration
    if fitted is None or not isinstance(task, CalibratedTask):
        raise UsageError(
            f"{path} has no temperature to calibrate its confidences with: it was made by an "
            "earlier version, or for a task without probabilities; leave out --calibrated"
        )
    return lambda outputs: task.decode(task.calibrated(outputs, fitted.temperature))


def _read(preprocess: Preprocess, paths: Iterable[Path | str]) -> Iterator[tuple[str, Raw]]:
    for path in map(Path, paths):
        if not path.exists():
            raise DataError(f"{path} does not exist; name files, or folders of files, to predict")
        yield from preprocess.read(path)


def _name(
    ids: Sequence[str], decoded: Mapping[str, Tensor], classes: Sequence[str]
) -> Iterator[Prediction]:
    values = decoded["prediction"].tolist()
    confidences = decoded["confidence"].tolist() if "confidence" in decoded else [None] * len(ids)
    for name, value, confidence in zip(ids, values, confidences, strict=True):
        if value != value or (confidence is not None and not math.isfinite(confidence)):
            raise NumericalError(f"the model's output for {name!r} is not finite")
        yield Prediction(name, classes[value] if classes else value, confidence)
