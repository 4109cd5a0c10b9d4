"""How evenly the classes share the training part."""

from __future__ import annotations

import torch

from ftcore.interfaces import DataBundle, Split
from ftcore.record import BalanceRecord
from ftcore.record.balance import FEW


def has_classes(split: Split, bundle: DataBundle) -> bool:
    """Tell whether each example has one of the bundle's classes."""
    targets = split.targets
    return bool(bundle.classes) and targets.ndim == 1 and not targets.is_floating_point()


def count_classes(bundle: DataBundle) -> dict[str, dict[str, int]]:
    """Return the examples by class and part; empty where the examples have no classes."""
    if not all(has_classes(split, bundle) for split in bundle.splits.values()):
        return {}
    counts = {
        part: torch.bincount(split.targets, minlength=len(bundle.classes)).tolist()
        for part, split in bundle.splits.items()
    }
    return {
        name: {part: values[index] for part, values in counts.items()}
        for index, name in enumerate(bundle.classes)
    }


def describe_balance(bundle: DataBundle) -> BalanceRecord | None:
    """Return how the classes share train; None where there are none, or nothing to share."""
    counts = {name: parts.get("train", 0) for name, parts in count_classes(bundle).items()}
    total = sum(counts.values())
    if not total:
        return None
    smallest = min(counts.values())
    return BalanceRecord(
        shares={name: count / total for name, count in counts.items()},
        ratio=max(counts.values()) / smallest if smallest else None,
        few={name: count for name, count in counts.items() if count < FEW},
    )
