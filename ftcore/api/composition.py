"""Makes the objects that a configuration names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ftcore.api.requirements import parse_requirements
from ftcore.config import LogitsConfig, RunConfig
from ftcore.engine.observer import Observer
from ftcore.engine.partition import make_parts
from ftcore.engine.parts import RunParts
from ftcore.engine.randomness import MODEL, seed_torch
from ftcore.errors import UsageError
from ftcore.interfaces import Backbone, CalibratedTask, Metric, Task
from ftcore.plugins import Plugins


def compose(config: RunConfig, plugins: Plugins) -> RunParts:
    """Make the objects that a configuration names, with the dataset's three parts."""
    strategy = plugins.create("freezing", config.freeze)
    dataset = plugins.create("datasets", config.dataset)
    task = plugins.create("tasks", config.task or dataset.task)
    metrics = make_metrics(config, task, plugins)
    bundle = make_parts(dataset, config)
    backbone = make_backbone(config, bundle.input_shape, plugins)
    resolved = config.model_copy(
        update={
            "weights": _resolved(config.weights, backbone),
            "task": config.task or dataset.task,
            "metric": tuple(config.metric or task.metrics),
        }
    )
    bare = config.model_copy(update={"weights": "none"})
    return RunParts(
        backbone,
        bundle,
        task,
        metrics,
        resolved,
        strategy,
        dataset,
        partial(make_backbone, bare, bundle.input_shape, plugins),
        calibration=make_calibration(task, plugins),
    )


def make_backbone(config: RunConfig, input_shape: tuple[int, ...], plugins: Plugins) -> Backbone:
    """Make the backbone that a configuration names, for raw inputs of that shape."""
    context: dict[str, Any] = {"weights": config.weights, "input_shape": input_shape}
    if config.image_size is not None:
        context["image_size"] = config.image_size
        name = config.backbone.partition(":")[0]
        known = [option.name for option in plugins.entry("backbones", name).options]
        if "image_size" not in known:
            raise UsageError(f"backbone {name!r} takes no image size; leave out --image-size")
    seed_torch(MODEL, config.seed)
    return plugins.create("backbones", config.backbone, context)


def make_metrics(
    config: RunConfig | LogitsConfig, task: Task, plugins: Plugins
) -> Sequence[Metric]:
    """Make the metrics asked for, or the task's own; UsageError for one asked for twice."""
    metrics = [plugins.create("metrics", spec) for spec in config.metric or task.metrics]
    names = [metric.name for metric in metrics]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"metric {name!r} is asked for twice")
    parse_requirements(config.require, names)
    return metrics


def make_calibration(task: Task, plugins: Plugins) -> Sequence[Metric]:
    """Make the metrics that show what a temperature does, where the task knows of one."""
    if not isinstance(task, CalibratedTask):
        return ()
    return [plugins.create("metrics", spec) for spec in task.calibration]


def make_config(config: RunConfig | None, options: Mapping[str, Any]) -> RunConfig:
    """Return the configuration, or the one that the fields make; UsageError for both."""
    if config is not None and options:
        raise UsageError("give either a configuration or its fields, not both")
    return config or RunConfig.parse(dict(options), "ftcore.run")


def show_notes(parts: RunParts, observer: Observer) -> None:
    """Tell the observer what the user must know before training."""
    for note in filter(None, (parts.backbone.weights.note, *parts.bundle.notes)):
        observer.note(f"note: {note}")


def _resolved(requested: str, backbone: Backbone) -> str:
    # Saved in place of "auto", so that a resumed or repeated run uses the same weights or none.
    if requested != "auto":
        return requested
    return backbone.weights.name if backbone.weights.is_pretrained else "none"
