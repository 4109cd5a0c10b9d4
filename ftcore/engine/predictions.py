"""What a model said of each test example: kept, and made statistics of again."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ftcore.engine import storage
from ftcore.errors import DataError
from ftcore.interfaces import ComparableTask, DataBundle, Statistics, Task

_VERSION = "task_version"


@dataclass(frozen=True)
class Predictions:
    """The rows of the statistics, one for each example of `ids`, in the order of evaluation."""

    ids: Sequence[str]
    rows: Mapping[str, Tensor]
    version: int = 0  # of the task that made the rows; 0 where it keeps none to be compared

    @classmethod
    def of(cls, task: Task, statistics: Statistics, ids: Sequence[str]) -> Predictions:
        """Return what an evaluation left of each example."""
        version = task.version if isinstance(task, ComparableTask) else 0
        return cls(ids, statistics.rows, version)

    @classmethod
    def read(cls, path: Path) -> Predictions:
        """Read a file that `write` made; DataError where it is damaged."""
        rows, metadata = storage.read_tensors(path)
        ids = json.loads(bytes(rows.pop("ids").tolist()))
        return cls(ids, rows, int(metadata.get(_VERSION, 0)))

    def write(self, path: Path) -> None:
        """Write the rows as a sealed file; "ids" is a JSON list in UTF-8."""
        encoded = bytearray(json.dumps(list(self.ids), ensure_ascii=False).encode())
        rows = {"ids": torch.frombuffer(encoded, dtype=torch.uint8), **self.rows}
        storage.write_tensors(path, rows, {_VERSION: str(self.version)})

    def statistics(
        self, task: ComparableTask, classes: Sequence[str], needs: Collection[str]
    ) -> Statistics:
        """Return the statistics that these rows were part of, with what `needs` names.

        Raises DataError where a row that is needed was not kept.
        """
        bundle = DataBundle("", task.name, {}, tuple(classes))
        empty = task.statistics(bundle, needs)
        missing = sorted(name for name in empty.rows if name not in self.rows)
        if missing:
            raise DataError(
                f"the predictions keep {', '.join(self.rows)}, but not {', '.join(missing)}, which "
                "a metric needs; run again with that metric among those asked for"
            )
        statistics = Statistics(empty.fields, dict(self.rows))
        count = len(next(iter(self.rows.values())))
        ones = torch.ones((1, count), dtype=torch.int64)
        made = task.reweigh(statistics, [*empty.fields], ones)
        return Statistics({name: field[0] for name, field in made.fields.items()}, statistics.rows)
