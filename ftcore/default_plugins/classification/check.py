"""Whether the targets of a dataset are fit for classification."""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor

from ftcore import DataBundle, DataError, Split

_SHOWN = 5


def check(bundle: DataBundle) -> None:
    """Raise DataError unless there are classes, each was trained on, and every target is one."""
    _check_classes(bundle)
    for name, split in bundle.splits.items():
        _check_targets(f"{name!r} of dataset {bundle.name!r}", split, len(bundle.classes))
    if "train" in bundle.splits:
        _check_coverage(bundle, bundle.splits["train"].targets)


def _check_classes(bundle: DataBundle) -> None:
    if len(bundle.classes) < 2:
        raise DataError(
            f"dataset {bundle.name!r} has {len(bundle.classes)} classes "
            f"({', '.join(bundle.classes) or 'none'}); classification needs at least 2"
        )
    twice = [repr(name) for name, count in Counter(bundle.classes).items() if count > 1]
    if twice:
        raise DataError(
            f"dataset {bundle.name!r} names a class more than once: {', '.join(twice)}; "
            "give each class one name"
        )


def _check_targets(place: str, split: Split, classes: int) -> None:
    targets = split.targets
    if targets.dtype != torch.int64 or targets.dim() != 1:
        raise DataError(
            f"targets of {place} are {targets.dtype} of shape {tuple(targets.shape)}; "
            "classification needs one int64 class index for each example"
        )
    if len(targets) != len(split) or len(split) == 0:
        raise DataError(f"{place} has {len(split)} examples and {len(targets)} targets")
    wrong = ((targets < 0) | (targets >= classes)).nonzero().flatten().tolist()
    if wrong:
        value = int(targets[wrong[0]])
        remedy = "leave such examples out" if value == -100 else "correct it"
        raise DataError(
            f"example {split.ids[wrong[0]]!r} in {place} has target {value}, but classes go from "
            f"0 to {classes - 1} ({len(wrong)} such examples in all); {remedy}"
        )


def _check_coverage(bundle: DataBundle, targets: Tensor) -> None:
    counts = torch.bincount(targets, minlength=len(bundle.classes)).tolist()
    empty = [name for name, count in zip(bundle.classes, counts, strict=True) if not count]
    if empty:
        shown = ", ".join(map(repr, empty[:_SHOWN])) + (", …" if len(empty) > _SHOWN else "")
        raise DataError(
            f"dataset {bundle.name!r} has no training example of {len(empty)} of its "
            f"{len(bundle.classes)} classes: {shown}; add some, or take them off the list"
        )
