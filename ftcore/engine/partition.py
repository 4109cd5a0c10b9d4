"""Which examples train, which choose the epoch, and which test: each is in one part.

The test part is looked at once, after training. Parts that are cut depend on the split seed alone,
so that runs with different seeds answer for the same test examples.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ftcore.config import RunConfig
from ftcore.engine.folds import Ints, assign_folds, parse_fold, read_groups
from ftcore.engine.randomness import DRAW, SPLIT, shuffled
from ftcore.engine.splits import Joined, Subset
from ftcore.errors import DataError
from ftcore.interfaces import DataBundle, Split

TEST_FRACTION = 0.2
VAL_FRACTION = 0.1


def make_parts(bundle: DataBundle, config: RunConfig) -> DataBundle:
    """Return a bundle with the train, val and test parts that a configuration asks for.

    `limit` takes some of the training examples, `fold` makes one of them the test part, `group`
    keeps examples together, and `shots` leaves so many of each class to train with, and to choose
    the epoch with. DataError where there are too few.
    """
    if config.limit is not None:
        bundle = _limit(bundle, config.limit, config.split_seed)
    if config.fold is not None:
        bundle = _take_fold(bundle, config)
    else:
        bundle = complete_splits(bundle, config.split_seed, config.group)
    return bundle if config.shots is None else _take_shots(bundle, config.shots, config.seed)


def complete_splits(bundle: DataBundle, seed: int, group: str | None = None) -> DataBundle:
    """Return a bundle with train, val and test, cutting from train what the dataset lacks.

    Of train and val alone, val is the test part, since its examples were set apart by the
    dataset's authors; the validation part that chooses the epoch then comes from train.
    Class indices are cut in proportion (stratified), other targets at random, groups whole.
    """
    _check_names(bundle)
    splits = dict(bundle.splits)
    notes = list(bundle.notes)
    if "test" not in splits and "val" in splits:
        splits["test"] = splits.pop("val")
        notes.append(
            "the dataset's val part is the test part here; a new val part is cut from train"
        )
    if "test" not in splits:
        splits["train"], splits["test"] = _cut(splits["train"], TEST_FRACTION, bundle, seed, group)
        notes.append(
            f"no test part; {TEST_FRACTION:.0%} of train set apart for it (split seed {seed})"
        )
    if "val" not in splits:
        splits["train"], splits["val"] = _cut(splits["train"], VAL_FRACTION, bundle, seed, group)
    _check_sizes(splits, bundle)
    return replace(bundle, splits=splits, notes=tuple(notes))


def _take_fold(bundle: DataBundle, config: RunConfig) -> DataBundle:
    assert config.fold is not None
    _check_names(bundle)
    pool = bundle.splits["train"]
    notes = list(bundle.notes)
    if "val" in bundle.splits:
        pool = Joined({part: bundle.splits[part] for part in ("train", "val")})
    if "test" in bundle.splits:
        notes.append(
            f"the dataset's own test part ({len(bundle.splits['test']):,} examples) takes no part "
            "in the cross-validation"
        )
    fold, folds = parse_fold(config.fold)
    place = _assign(pool, folds, bundle, config.split_seed, config.group)
    rest = Subset(pool, np.flatnonzero(place != fold).tolist())
    train, val = _cut(rest, VAL_FRACTION, bundle, config.split_seed, config.group)
    test = Subset(pool, np.flatnonzero(place == fold).tolist())
    splits: dict[str, Split] = {"train": train, "val": val, "test": test}
    _check_sizes(splits, bundle)
    return replace(bundle, splits=splits, notes=tuple(notes))


def _limit(bundle: DataBundle, most: int, seed: int) -> DataBundle:
    """Leave `most` of the training examples, of each class as large a share as of all."""
    _check_names(bundle)
    train = bundle.splits["train"]
    if len(train) <= most:
        return bundle
    strata = _strata(train, bundle)
    share = np.empty(len(train))
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        order = shuffled(len(members), SPLIT, seed, abs(int(stratum)))
        share[members[order]] = (np.arange(len(members)) + 0.5) / len(members)
    chosen = np.sort(np.argsort(share, kind="stable")[:most])
    splits = {**bundle.splits, "train": Subset(train, chosen.tolist())}
    note = f"{most:,} of {len(train):,} training examples are used (split seed {seed})"
    return replace(bundle, splits=splits, notes=(*bundle.notes, note))


def _take_shots(bundle: DataBundle, shots: int, seed: int) -> DataBundle:
    """Leave `shots` examples of each class in train, drawn by the seed, and as many in val."""
    splits = dict(bundle.splits)
    if not _is_by_class(splits["train"], bundle):
        raise DataError(
            f"--shots draws examples of each class, but dataset {bundle.name!r} has none"
        )
    for part, must_suffice in (("train", True), ("val", False)):
        split = splits[part]
        strata = split.targets.numpy()
        chosen: list[Ints] = []
        for index, name in enumerate(bundle.classes):
            members = np.flatnonzero(strata == index)
            if must_suffice and len(members) < shots:
                raise DataError(
                    f"class {name!r} of dataset {bundle.name!r} has {len(members)} training "
                    f"examples, fewer than --shots {shots}"
                )
            order = shuffled(len(members), DRAW, seed, index)
            chosen.append(members[order[:shots]])
        splits[part] = Subset(split, np.sort(np.concatenate(chosen)).tolist())
    return replace(bundle, splits=splits)


def _check_names(bundle: DataBundle) -> None:
    unknown = sorted(bundle.splits.keys() - {"train", "val", "test"})
    if "train" not in bundle.splits or unknown:
        raise DataError(
            f"dataset {bundle.name!r} has the parts {sorted(bundle.splits)}; "
            "it needs 'train', and may have 'val' and 'test'"
        )


def _check_sizes(splits: dict[str, Split], bundle: DataBundle) -> None:
    for name, split in splits.items():
        if len(split) == 0:
            raise DataError(f"the {name} part of dataset {bundle.name!r} is empty")


def _is_by_class(split: Split, bundle: DataBundle) -> bool:
    targets = split.targets
    return targets.ndim == 1 and not targets.is_floating_point() and bool(bundle.classes)


def _strata(split: Split, bundle: DataBundle) -> Ints:
    """What is spread evenly: the classes, or nothing in particular."""
    if _is_by_class(split, bundle):
        return split.targets.numpy()
    return np.zeros(len(split), dtype=np.int64)


def _assign(split: Split, folds: int, bundle: DataBundle, seed: int, group: str | None) -> Ints:
    """The fold of each example, (N,); DataError where there are too few for so many."""
    strata = _strata(split, bundle)
    if group is not None:
        names, groups = np.unique(read_groups(group, split.ids), return_inverse=True)
        if len(names) < folds:
            raise DataError(
                f"--group {group!r} finds {len(names)} groups in dataset {bundle.name!r}, "
                f"fewer than the {folds} parts that are to be cut"
            )
        return assign_folds(strata, folds, seed, groups)
    values, counts = np.unique(strata, return_counts=True)
    if counts.min(initial=folds) < folds:
        scarce = int(values[counts.argmin()])
        name = bundle.classes[scarce] if 0 <= scarce < len(bundle.classes) else str(scarce)
        raise DataError(
            f"class {name!r} of dataset {bundle.name!r} has {counts.min()} examples, fewer than "
            f"the {folds} folds; ask for fewer folds, add examples or remove the class"
        )
    return assign_folds(strata, folds, seed)


def _cut(
    split: Split, fraction: float, bundle: DataBundle, seed: int, group: str | None
) -> tuple[Subset, Subset]:
    """Return the rest, and a part of that fraction."""
    if group is not None:
        folds = min(round(1 / fraction), len(set(read_groups(group, split.ids))))
        return _divide(split, _assign(split, max(2, folds), bundle, seed, group) == 0)
    strata = _strata(split, bundle)
    cut: list[Ints] = []
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        order = members[shuffled(len(members), SPLIT, seed, abs(int(stratum)))]
        size = max(1, round(fraction * len(members)))
        if len(members) < 2:
            name = bundle.classes[stratum] if 0 <= stratum < len(bundle.classes) else str(stratum)
            raise DataError(
                f"class {name!r} of dataset {bundle.name!r} has {len(members)} training example; "
                "cutting a part for evaluation needs at least 2, add examples or remove the class"
            )
        cut.append(order[:size])
    taken = np.zeros(len(split), dtype=bool)
    taken[np.concatenate(cut)] = True
    return _divide(split, taken)


def _divide(split: Split, taken: np.ndarray) -> tuple[Subset, Subset]:
    rest, part = np.flatnonzero(~taken), np.flatnonzero(taken)
    return Subset(split, rest.tolist()), Subset(split, part.tolist())
