"""Makes a dataset's parts complete: train, val and test, each example in one of them.

The test part is looked at once, after training. Parts that are cut depend on the split seed
alone, so that runs with different seeds answer for the same test examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ftcore.engine.randomness import SPLIT, shuffled
from ftcore.errors import DataError
from ftcore.interfaces import DataBundle, Raw, Split

TEST_FRACTION = 0.2
VAL_FRACTION = 0.1


@dataclass(frozen=True)
class Subset:
    """Some examples of a split, in the order of `indices`."""

    split: Split
    indices: Sequence[int]

    @cached_property
    def ids(self) -> Sequence[str]:
        """The ids of the examples."""
        ids = self.split.ids
        return [ids[index] for index in self.indices]

    @property
    def targets(self) -> Tensor:
        """The targets of the examples."""
        return self.split.targets[torch.as_tensor(self.indices)]

    def __len__(self) -> int:
        return len(self.indices)

    def inputs(self, indices: Sequence[int]) -> Sequence[Raw]:
        """Return raw examples of the underlying split."""
        return self.split.inputs([self.indices[index] for index in indices])

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        """Return the digests of the examples."""
        return self.split.digests([self.indices[index] for index in indices])


def complete_splits(bundle: DataBundle, seed: int) -> DataBundle:
    """Return a bundle with train, val and test, cutting from train what the dataset lacks.

    Of train and val alone, val is the test part, since its examples were set apart by the
    dataset's authors; the validation part that chooses the epoch then comes from train.
    Class indices are cut in proportion (stratified), other targets at random.
    """
    splits = dict(bundle.splits)
    unknown = sorted(splits.keys() - {"train", "val", "test"})
    if "train" not in splits or unknown:
        raise DataError(
            f"dataset {bundle.name!r} has the parts {sorted(splits)}; "
            "it needs 'train', and may have 'val' and 'test'"
        )
    notes = list(bundle.notes)
    if "test" not in splits and "val" in splits:
        splits["test"] = splits.pop("val")
        notes.append(
            "the dataset's val part is the test part here; a new val part is cut from train"
        )
    if "test" not in splits:
        splits["train"], splits["test"] = _cut(splits["train"], TEST_FRACTION, bundle, seed)
        notes.append(
            f"no test part; {TEST_FRACTION:.0%} of train set apart for it (split seed {seed})"
        )
    if "val" not in splits:
        splits["train"], splits["val"] = _cut(splits["train"], VAL_FRACTION, bundle, seed)
    for name, split in splits.items():
        if len(split) == 0:
            raise DataError(f"the {name} part of dataset {bundle.name!r} is empty")
    return replace(bundle, splits=splits, notes=tuple(notes))


def take_test(bundle: DataBundle) -> DataBundle:
    """Return a bundle whose test part is what to evaluate: test, else val, else train."""
    part = next((name for name in ("test", "val", "train") if name in bundle.splits), None)
    if part is None:
        raise DataError(f"dataset {bundle.name!r} has no part to evaluate: {sorted(bundle.splits)}")
    notes = bundle.notes
    if part != "test":
        notes = (*notes, f"the dataset has no test part; its {part} part was evaluated")
    splits = {"test": bundle.splits[part]}
    if "train" in bundle.splits and part != "train":
        splits["train"] = bundle.splits["train"]
    return replace(bundle, splits=splits, notes=notes)


@dataclass(frozen=True)
class Relabelled:
    """A split whose class indices are those of a model: index i means `mapping[i]` there."""

    split: Split
    mapping: Tensor

    @property
    def ids(self) -> Sequence[str]:
        """The ids of the underlying split."""
        return self.split.ids

    @property
    def targets(self) -> Tensor:
        """The model's class indices."""
        return self.mapping[self.split.targets]

    def __len__(self) -> int:
        return len(self.split)

    def inputs(self, indices: Sequence[int]) -> Sequence[Raw]:
        """Return raw examples of the underlying split."""
        return self.split.inputs(indices)

    def digests(self, indices: Sequence[int]) -> Sequence[str]:
        """Return the digests of the underlying split."""
        return self.split.digests(indices)


def align_classes(bundle: DataBundle, classes: Sequence[str]) -> DataBundle:
    """Return the bundle with a model's class indices, matched by name, never by position.

    DataError names the classes that the model does not know.
    """
    if tuple(bundle.classes) == tuple(classes):
        return bundle
    unknown = [name for name in bundle.classes if name not in classes]
    if unknown:
        raise DataError(
            f"dataset {bundle.name!r} has classes that the model does not know: "
            f"{', '.join(map(repr, unknown[:5]))}; it knows {', '.join(map(repr, classes[:10]))}"
            + (", …" if len(classes) > 10 else "")
        )
    mapping = torch.tensor([list(classes).index(name) for name in bundle.classes])
    splits = {name: Relabelled(split, mapping) for name, split in bundle.splits.items()}
    return replace(bundle, splits=splits, classes=tuple(classes))


def _cut(split: Split, fraction: float, bundle: DataBundle, seed: int) -> tuple[Subset, Subset]:
    targets = split.targets
    is_class = targets.ndim == 1 and not targets.is_floating_point() and bool(bundle.classes)
    groups = targets.numpy() if is_class else np.zeros(len(split), dtype=np.int64)
    cut: list[np.ndarray] = []
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        order = members[shuffled(len(members), SPLIT, seed, abs(int(group)))]
        size = max(1, round(fraction * len(members)))
        if len(members) < 2:
            name = bundle.classes[group] if 0 <= group < len(bundle.classes) else str(group)
            raise DataError(
                f"class {name!r} of dataset {bundle.name!r} has {len(members)} training example; "
                "cutting a part for evaluation needs at least 2, add examples or remove the class"
            )
        cut.append(order[:size])
    taken = np.zeros(len(split), dtype=bool)
    taken[np.concatenate(cut)] = True
    return (
        Subset(split, np.flatnonzero(~taken).tolist()),
        Subset(split, np.flatnonzero(taken).tolist()),
    )
