"""What a run or an evaluation is composed of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ftcore.config import RunConfig
from ftcore.interfaces import Backbone, DataBundle, FreezingStrategy, Metric, Task


@dataclass(frozen=True)
class Parts:
    """What an evaluation is composed of; the bundle has a test part.

    `calibration` holds the metrics of a `CalibratedTask` before and after; empty for none.
    """

    backbone: Backbone
    bundle: DataBundle
    task: Task
    metrics: Sequence[Metric]
    config: RunConfig
    calibration: Sequence[Metric] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class RunParts(Parts):
    """What a run is composed of; the bundle has train, val and test parts.

    `dataset` is what they were made from: the bundle as its plugin gave it. `untrained` makes the
    backbone again, with random weights.
    """

    strategy: FreezingStrategy
    dataset: DataBundle
    untrained: Callable[[], Backbone] | None = None
