"""Scores outputs that another tool stored, a block of rows at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from ftcore.arrays import StoredArray, open_array
from ftcore.engine.device import free_memory, threads
from ftcore.engine.needs import needs_of
from ftcore.engine.observer import Observer
from ftcore.errors import DataError, NumericalError, StoppedError, UsageError
from ftcore.interfaces import DataBundle, Metric, Raw, Statistics, Task

BLOCK = 2**21  # logits read at once: 8 MiB in float32, and two blocks are in memory
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_UNSIGNED = (torch.uint8, torch.uint16, torch.uint32, torch.uint64)
_INTEGERS = (torch.int8, torch.int16, torch.int32, torch.int64, *_UNSIGNED)


@dataclass(frozen=True)
class StoredOutputs:
    """Logits (N, C) in a file, the targets (N,) they are held against, and which rows count."""

    logits: StoredArray
    targets: Tensor  # int64
    targets_path: Path
    ignore_index: int | None = None

    @classmethod
    def open(
        cls, logits: Path, targets: Path | None = None, ignore_index: int | None = None
    ) -> StoredOutputs:
        """Read the targets, and of the logits the header; DataError where they do not fit.

        In a .safetensors file they are the tensors "logits" and "targets"; without `targets` both
        are in one.
        """
        outputs, target_file = open_array(logits, "logits"), targets or logits
        if targets is None and logits.suffix.lower() != ".safetensors":
            raise UsageError(
                f"{logits} holds logits alone; give the file of their --targets as well"
            )
        _check_logits(outputs)
        stored = open_array(target_file, "targets")
        if stored.dtype not in _INTEGERS or stored.shape != (len(outputs),):
            raise DataError(
                f"targets in {target_file} are {stored.dtype} of shape {stored.shape}; logits of "
                f"shape {outputs.shape} need one integer for each row, shape ({len(outputs)},)"
            )
        made = cls(outputs, stored.read().long(), target_file, ignore_index)
        made._check_targets()
        return made

    @cached_property
    def is_scored(self) -> Tensor:
        """Which rows count, (N,): those whose target is not `ignore_index`."""
        if self.ignore_index is None:
            return torch.ones_like(self.targets, dtype=torch.bool)
        return self.targets != self.ignore_index

    @property
    def ignored(self) -> int:
        """How many rows are left out."""
        return int((~self.is_scored).sum())

    def _check_targets(self) -> None:
        classes = self.logits.shape[1]
        wrong = self.is_scored & ((self.targets < 0) | (self.targets >= classes))
        if bool(wrong.any()):
            row = int(wrong.nonzero()[0])
            value = int(self.targets[row])
            raise DataError(
                f"target {value} in row {row:,} of {self.targets_path} is no class from 0 to "
                f"{classes - 1} ({int(wrong.sum()):,} such rows in all); correct it, or give "
                f"--ignore-index {value} if it marks rows that are not to be scored"
            )
        if not bool(self.is_scored.any()):
            raise DataError(
                f"every target in {self.targets_path} is ignored: nothing is left to score"
            )


@dataclass(frozen=True)
class StoredSplit:
    """The rows that count as a part of a dataset; what they were computed from is not known."""

    outputs: StoredOutputs

    @cached_property
    def targets(self) -> Tensor:
        """The targets of the rows that count."""
        outputs = self.outputs
        return outputs.targets[outputs.is_scored] if outputs.ignored else outputs.targets

    @property
    def ids(self) -> Sequence[str]:
        """The rows' numbers in the file."""
        return [f"row {row}" for row in self.outputs.is_scored.nonzero().flatten().tolist()]

    def __len__(self) -> int:
        return len(self.targets)

    def inputs(self, indices: Sequence[int]) -> Sequence[Raw]:
        """Raise DataError: there are outputs alone."""
        raise DataError("stored logits have no inputs to read")

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        """Raise DataError: there are outputs alone."""
        raise DataError("stored logits have no inputs to tell apart")


def score(
    outputs: StoredOutputs,
    task: Task,
    bundle: DataBundle,
    metrics: Sequence[Metric],
    observer: Observer,
) -> Statistics:
    """Return the statistics of every row that counts, each once.

    Raises NumericalError, naming the first row, where logits are not finite.
    """
    needs = needs_of(metrics)
    statistics = task.statistics(bundle, needs)
    _check_memory(statistics, len(bundle.splits["test"]))
    # One processor reads: threads that wait for each other lose more than it could have done.
    with threads(max(1, torch.get_num_threads() - 1)):
        _score(outputs, task, statistics, observer)
    return statistics


def _score(outputs: StoredOutputs, task: Task, statistics: Statistics, observer: Observer) -> None:
    start = 0
    for logits in outputs.logits.blocks(max(1, BLOCK // outputs.logits.shape[1])):
        rows = slice(start, start + len(logits))
        targets, is_scored = outputs.targets[rows], outputs.is_scored[rows]
        if not bool(is_scored.all()):
            logits, targets = logits[is_scored], targets[is_scored]
        task.update_(statistics, logits, targets)
        _check_finite(statistics, logits, is_scored.nonzero().flatten() + start, outputs.logits)
        start = rows.stop
        observer.advanced(len(is_scored))
        if observer.should_stop():
            raise StoppedError("Stopped during evaluation")


def _check_logits(logits: StoredArray) -> None:
    if len(logits.shape) != 2 or logits.shape[0] == 0 or logits.dtype not in _FLOATS:
        raise DataError(
            f"logits in {logits.path} are {logits.dtype} of shape {logits.shape}; they must be "
            "float16, bfloat16, float32 or float64 of shape (rows, classes), with a row at least"
        )
    if logits.shape[1] < 2:
        raise DataError(
            f"logits in {logits.path} have {logits.shape[1]} columns; there must be one for each "
            "class, of two or more: for the log-odds z of a class against another, write [0, z]"
        )


def _check_memory(statistics: Statistics, count: int) -> None:
    width = sum(row[:0].new_empty(row.shape[1:]).nbytes for row in statistics.rows.values())
    if width * count > free_memory():
        raise DataError(
            f"the metrics asked for keep {width:,} bytes of each row, {width * count / 2**30:.1f} "
            "GiB in all, more than the memory that is free; leave out those over all thresholds, "
            "such as auroc and average_precision"
        )


def _check_finite(
    statistics: Statistics, logits: Tensor, rows: Tensor, stored: StoredArray
) -> None:
    # The statistics count such rows as they go; only then are the logits looked at once more.
    if "non_finite" in statistics.fields and not int(statistics.fields["non_finite"]):
        return
    wrong = rows[~torch.isfinite(logits).all(dim=1)]
    if len(wrong):
        raise NumericalError(
            f"logits in {stored.path} are not finite in {len(wrong)} of the {len(rows)} rows up to "
            f"row {int(rows[-1]):,}, the first is row {int(wrong[0]):,}; correct them, or write a "
            "large negative number, such as -1e4, for the -inf of a class that is ruled out"
        )
