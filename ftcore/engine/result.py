"""From statistics to a record: values with intervals, baselines, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from ftcore.engine.baselines.gains import find_gains
from ftcore.engine.baselines.making import Baselines
from ftcore.engine.device import Machine, environment
from ftcore.engine.intervals import intervals
from ftcore.engine.needs import needs_of
from ftcore.engine.parts import Parts
from ftcore.interfaces import Backbone, DataBundle, Metric, Statistics, Task
from ftcore.record import CountsRecord, Record, WeightsRecord, finite_or_none


def describe(
    parts: Parts, statistics: Statistics, machine: Machine, made: Baselines | None = None
) -> Record:
    """Return the record of an evaluation on the test part of `parts.bundle`.

    It is held against the baselines that were made of the same examples, and against those of the
    task, which see no input, unless the configuration leaves them out.
    """
    notes = (parts.backbone.weights.note, *parts.bundle.notes)
    return measure(parts.task, parts.bundle, parts.metrics, statistics, machine).model_copy(
        update={
            "preprocess": dict(parts.backbone.preprocess.describe()),
            "weights": describe_weights(parts.backbone),
            "notes": tuple(filter(None, notes)),
            "seed": parts.config.seed,
            "config": parts.config.model_dump(mode="json"),
            **_beside(parts, statistics, made or Baselines()),
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
    return Record(
        kind="evaluation",
        directory=None,
        task=task.name,
        metrics=intervals(metrics, statistics, task),
        per_class={
            name: {key: finite_or_none(value) for key, value in row.items()}
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


def _beside(parts: Parts, statistics: Statistics, made: Baselines) -> dict[str, Any]:
    """The baselines' own values, what was added over each, and what is to be said of them."""
    task, metrics = parts.task, parts.metrics
    baselines = {**_uninformed(parts), **made.statistics}
    gains = find_gains(task, metrics, statistics, baselines)
    return {
        "baselines": {name: intervals(metrics, each, task) for name, each in baselines.items()},
        "gains": gains.differences,
        "baseline_notes": {
            name: "; ".join(filter(None, (made.notes.get(name), gains.reasons.get(name))))
            for name in [*made.notes, *(name for name in gains.reasons if name not in made.notes)]
        },
    }


def _uninformed(parts: Parts) -> Mapping[str, Statistics]:
    """The task's own baselines, which know the targets of the training part alone."""
    bundle = parts.bundle
    if "majority" not in parts.config.baseline_names or "train" not in bundle.splits:
        return {}
    needs = needs_of(parts.metrics)
    return parts.task.baselines(bundle, bundle.splits["test"].targets, needs)


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
