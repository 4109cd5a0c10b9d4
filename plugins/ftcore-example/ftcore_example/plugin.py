"""The hooks: what this package gives to ftcore, and under which names.

A function's parameters are the options of the spec, its first line is what `ftcore list` shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from ftcore import Backbone, DataBundle, FreezingStrategy, Metric, Task, hookimpl


@hookimpl
def register_backbones(register: Callable[[str, Callable[..., Backbone]], None]) -> None:
    """Register the backbone."""
    register("tiny_convnet", tiny_convnet)


@hookimpl
def register_freezing(register: Callable[[str, Callable[..., FreezingStrategy]], None]) -> None:
    """Register the freezing strategy."""
    register("surgical", surgical)


@hookimpl
def register_datasets(register: Callable[[str, Callable[..., DataBundle]], None]) -> None:
    """Register the dataset."""
    register("dots", dots)


@hookimpl
def register_metrics(register: Callable[[str, Callable[..., Metric]], None]) -> None:
    """Register the metric."""
    register("rank_mae", rank_mae)


@hookimpl
def register_tasks(register: Callable[[str, Callable[..., Task]], None]) -> None:
    """Register the task."""
    register("ordinal", ordinal)


def tiny_convnet(weights: str = "auto", image_size: int | None = None, width: int = 16) -> Backbone:
    """A small convolutional network without pretrained weights.

    `weights` is auto or none, for random ones, or the path of a state dict. `image_size` is in
    pixels, 32 by default. `width` counts the channels of the first stage.
    """
    from ftcore_example.backbone import make_backbone

    return make_backbone(weights, image_size or 32, width)


def surgical(stage: str) -> FreezingStrategy:
    """Train the stage of this name and the head, and nothing else."""
    from ftcore_example.freezing import Surgical

    return Surgical(stage)


def dots(examples: int = 600) -> DataBundle:
    """Synthetic images of one to five dots; the class is their number."""
    from ftcore_example.dataset import make_dots

    return make_dots(examples)


def rank_mae(average: Literal["micro", "macro"] = "micro") -> Metric:
    """How many classes predictions are off, on average over examples or over classes."""
    from ftcore_example.metric import RankMeanAbsoluteError

    return RankMeanAbsoluteError(average)


def ordinal() -> Task:
    """One class for each example, out of a list that has an order."""
    from ftcore_example.task import OrdinalTask

    return OrdinalTask()
