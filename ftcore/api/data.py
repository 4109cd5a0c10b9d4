"""Look at a dataset without training on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from ftcore.engine.checks import check_data as check
from ftcore.engine.observer import Observer
from ftcore.engine.partition import complete_splits
from ftcore.interfaces import DataBundle, Task
from ftcore.plugins import Plugins, plugin_manager


@dataclass(frozen=True)
class DataSummary:
    """What a dataset holds, after every example was read."""

    name: str
    task: str
    splits: Mapping[str, int]
    classes: Mapping[str, Mapping[str, int]]  # examples by class and part
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return asdict(self)


def check_data(
    dataset: str,
    *,
    task: str | None = None,
    split_seed: int = 0,
    plugins: Plugins | None = None,
    observer: Observer | None = None,
) -> DataSummary:
    """Read every example and check every target; DataError names what is wrong and where."""
    plugins = plugins or plugin_manager()
    bundle: DataBundle = plugins.create("datasets", dataset)
    chosen: Task = plugins.create("tasks", task or bundle.task)
    bundle = complete_splits(bundle, split_seed)
    check(bundle, chosen, observer or Observer(), most=None)
    return DataSummary(
        name=bundle.name,
        task=chosen.name,
        splits={part: len(split) for part, split in bundle.splits.items()},
        classes=_count_classes(bundle),
        notes=bundle.notes,
    )


def _count_classes(bundle: DataBundle) -> dict[str, dict[str, int]]:
    counts = {
        part: torch.bincount(split.targets.flatten(), minlength=len(bundle.classes)).tolist()
        for part, split in bundle.splits.items()
        if bundle.classes
    }
    return {
        name: {part: values[index] for part, values in counts.items()}
        for index, name in enumerate(bundle.classes)
    }
