"""The examples that backbones are ranked on: of the train and val parts; the test part is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ftcore.engine.randomness import SPLIT, shuffled
from ftcore.engine.splits import Subset
from ftcore.errors import DataError
from ftcore.interfaces import DataBundle, Split

PARTS = ("train", "val")


def training_part(bundle: DataBundle, most: int, seed: int) -> DataBundle:
    """Return the train and val parts alone, with about `most` of their examples.

    Where there are more, each part gives the same share of each class, rounded up, drawn by `seed`.
    DataError unless the targets are class indices, and two classes have two examples each.
    """
    splits = {part: bundle.splits[part] for part in PARTS}
    _check(bundle, splits["train"])
    total = sum(map(len, splits.values()))
    if total > most:
        splits = {part: _draw(split, most / total, seed) for part, split in splits.items()}
    return replace(bundle, splits=splits)


def _check(bundle: DataBundle, train: Split) -> None:
    targets = train.targets
    if targets.ndim != 1 or targets.is_floating_point():
        raise DataError(
            f"the targets of dataset {bundle.name!r} are {targets.dtype} of shape "
            f"{tuple(targets.shape)}; backbones are ranked for classification alone, where each "
            "example has one class index"
        )
    counts = np.unique(targets.numpy(), return_counts=True)[1]
    if (counts >= 2).sum() < 2:
        raise DataError(
            f"the train part of dataset {bundle.name!r} has {len(train)} examples of "
            f"{len(counts)} classes; ranking needs two classes with two examples each at least"
        )


def _draw(split: Split, share: float, seed: int) -> Subset:
    targets = split.targets.numpy()
    chosen = []
    for label in np.unique(targets):
        members = np.flatnonzero(targets == label)
        order = shuffled(len(members), SPLIT, seed, int(label), 1)  # another than that of splits
        chosen.append(members[order[: int(np.ceil(share * len(members)))]])
    return Subset(split, np.sort(np.concatenate(chosen)).tolist())
