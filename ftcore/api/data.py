"""Look at a dataset without training on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ftcore.api.composition import compose
from ftcore.config import RunConfig
from ftcore.engine.balance import count_classes, describe_balance
from ftcore.engine.checks import check_data as check
from ftcore.engine.device import deterministic
from ftcore.engine.duplicates.features import gather_features
from ftcore.engine.duplicates.survey import Survey
from ftcore.engine.observer import Observer
from ftcore.engine.partition import complete_splits
from ftcore.engine.preparation import prepare
from ftcore.interfaces import DataBundle, Task
from ftcore.plugins import Plugins, plugin_manager
from ftcore.record import BalanceRecord, DuplicatesRecord


@dataclass(frozen=True)
class DataSummary:
    """What a dataset holds, after every example was read."""

    name: str
    task: str
    splits: Mapping[str, int]
    classes: Mapping[str, Mapping[str, int]]  # examples by class and part
    balance: BalanceRecord | None  # None where there are no classes
    duplicates: DuplicatesRecord
    notes: tuple[str, ...]

    @property
    def leaked(self) -> int:
        """The test examples with an exact or a near copy in train."""
        count = self.duplicates.leaked.get("train")
        return count.exact + count.near if count else 0

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return {
            "name": self.name,
            "task": self.task,
            "splits": dict(self.splits),
            "classes": {name: dict(parts) for name, parts in self.classes.items()},
            "balance": self.balance.model_dump(mode="json") if self.balance else None,
            "duplicates": self.duplicates.model_dump(mode="json"),
            "notes": list(self.notes),
        }


def check_data(
    dataset: str,
    *,
    task: str | None = None,
    split_seed: int = 0,
    near: bool | None = None,
    features: Mapping[str, Any] | None = None,
    plugins: Plugins | None = None,
    observer: Observer | None = None,
) -> DataSummary:
    """Read every example and check every target; DataError names what is wrong and where.

    Copies are looked for on the way: exact ones, and with `near` those that are nearly the same,
    by default where there are up to 100,000 examples. `features` are fields of RunConfig, such as
    backbone and weights, whose frozen features then point at near copies as well.
    """
    plugins, observer = plugins or plugin_manager(), observer or Observer()
    bundle: DataBundle = plugins.create("datasets", dataset)
    chosen: Task = plugins.create("tasks", task or bundle.task)
    bundle = complete_splits(bundle, split_seed)
    survey = Survey(bundle, near)
    check(bundle, chosen, observer, most=None, note=survey.note)
    if features and survey.is_searched:
        own = {"dataset": dataset, "task": task, "split_seed": split_seed}
        survey.features = _features({**features, **own}, plugins, observer)
    return DataSummary(
        name=bundle.name,
        task=chosen.name,
        splits={part: len(split) for part, split in bundle.splits.items()},
        classes=count_classes(bundle),
        balance=describe_balance(bundle),
        duplicates=survey.describe(),
        notes=bundle.notes,
    )


def _features(options: dict[str, Any], plugins: Plugins, observer: Observer) -> Tensor | None:
    """What a backbone makes of all examples, in a line; kept as those of a run are."""
    config = RunConfig.parse({**options, "freeze": "bottom"}, "ftcore data check")
    parts = compose(config, plugins)
    if parts.backbone.weights.note:
        observer.note(f"note: {parts.backbone.weights.note}")
    with deterministic():
        feed = prepare(parts, observer).feeder.throughout()
    features = gather_features([feed.sources[part] for part in parts.bundle.splits])
    if features is None:
        observer.note("the features take more room than there is; copies are found without them")
    return features
