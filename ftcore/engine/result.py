"""From statistics to a record: values with intervals, baselines, and what they rest on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ftcore.engine.device import Machine, environment
from ftcore.engine.intervals import intervals
from ftcore.engine.parts import Parts
from ftcore.interfaces import Backbone, DataBundle, Metric, Statistics, Task
from ftcore.record import CountsRecord, Record, WeightsRecord


def describe(parts: Parts, statistics: Statistics, machine: Machine) -> Record:
    """Return the record of an evaluation on the test part of `parts.bundle`."""
    notes = (parts.backbone.weights.note, *parts.bundle.notes)
    return measure(parts.task, parts.bundle, parts.metrics, statistics, machine).model_copy(
        update={
            "preprocess": dict(parts.backbone.preprocess.describe()),
            "weights": describe_weights(parts.backbone),
            "notes": tuple(filter(None, notes)),
            "seed": parts.config.seed,
            "config": parts.config.model_dump(mode="json"),
        }
    )


def measure(
    task: Task,
    bundle: DataBundle,
    metrics: Sequence[Metric],
    statistics: Statistics,
    machine: Machine,
) -> Record:
    """Return the record of the test part of `bundle`, but for what made the outputs."""
    needs = sorted({name for metric in metrics for name in metric.needs})
    baselines: Mapping[str, Statistics] = {}
    if "train" in bundle.splits:
        baselines = task.baselines(bundle, bundle.splits["test"].targets, needs)
    return Record(
        kind="evaluation",
        directory=None,
        task=task.name,
        metrics=intervals(metrics, statistics, task),
        baselines={name: intervals(metrics, each, task) for name, each in baselines.items()},
        per_class={
            name: {key: _or_none(value) for key, value in row.items()}
            for name, row in task.per_class(statistics, bundle).items()
        },
        classes=bundle.classes,
        input_shape=bundle.input_shape,
        weights=None,
        counts=CountsRecord(
            splits={name: len(split) for name, split in bundle.splits.items()},
            evaluated=task.units(statistics),
            ignored=_count(statistics, "ignored"),
            non_finite=_count(statistics, "non_finite"),
        ),
        notes=bundle.notes,
        seed=0,
        config={},
        timings={},
        environment=environment(machine),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def describe_weights(backbone: Backbone) -> WeightsRecord:
    """Return where the parameters of a backbone come from."""
    weights = backbone.weights
    return WeightsRecord(
        name=weights.name,
        origin=weights.origin,
        sha256=weights.sha256,
        training_data=weights.training_data,
        licence=weights.licence,
        note=weights.note,
    )


def _count(statistics: Statistics, name: str) -> int:
    return int(statistics.fields[name]) if name in statistics.fields else 0


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
