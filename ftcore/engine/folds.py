"""Which examples belong together, and which fold of a cross-validation each falls into."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ftcore.engine.randomness import SPLIT, shuffled
from ftcore.errors import ConfigError, DataError

Ints = NDArray[np.int64]


def parse_fold(text: str) -> tuple[int, int]:
    """Return (index from 0, number of folds) of "2/5"; ConfigError unless 1 <= 2 <= 5, 5 >= 2."""
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None:
        raise ConfigError(f"fold {text!r} cannot be read; write it as in 2/5, the second of five")
    number, folds = int(match[1]), int(match[2])
    if folds < 2 or not 1 <= number <= folds:
        raise ConfigError(f"fold {text!r} does not exist; folds go from 1/K to K/K, K is 2 or more")
    return number - 1, folds


def assign_folds(strata: Ints, folds: int, seed: int, groups: Ints | None = None) -> Ints:
    """Return the fold (N,) of each example, from 0 to `folds` - 1, a function of `seed`.

    Each stratum (N,), such as a class, is spread over the folds as evenly as its size allows, and
    so are all examples. Of a group (N,) all examples fall into one fold: the largest groups are
    placed first, each where the folds then differ least in size and in their shares of the strata.
    Raises ValueError where there are fewer groups, or examples of a stratum, than folds.
    """
    assigned = np.empty(len(strata), dtype=np.int64)
    if groups is None:
        start = 0
        for stratum in np.unique(strata):
            members = np.flatnonzero(strata == stratum)
            if len(members) < folds:
                raise ValueError(f"stratum {stratum} has {len(members)} examples")
            order = members[shuffled(len(members), SPLIT, seed, abs(int(stratum)))]
            # Each stratum goes on where the last one ended, so that the folds' sizes stay even.
            assigned[order] = (start + np.arange(len(members))) % folds
            start += len(members)
        return assigned
    names, group = np.unique(groups, return_inverse=True)
    if len(names) < folds:
        raise ValueError(f"{len(names)} groups")
    place = _place_groups(strata, group, len(names), folds, seed)
    return place[group]


def _place_groups(strata: Ints, group: Ints, count: int, folds: int, seed: int) -> Ints:
    """Return the fold of each group, (count,)."""
    values, stratum = np.unique(strata, return_inverse=True)
    sizes = np.zeros((count, len(values)))
    np.add.at(sizes, (group, stratum), 1)
    shares = sizes / sizes.sum(0)  # of each stratum, so that rare ones count as much
    mixed = shuffled(count, SPLIT, seed)
    order = mixed[np.argsort(-sizes.sum(1)[mixed], kind="stable")]
    held = np.zeros((folds, len(values)))
    place = np.empty(count, dtype=np.int64)
    for position, each in enumerate(order):
        # What the sum of squares of the folds' shares grows by; an empty fold must get a group
        # while there are still as many groups as empty folds.
        cost = (2 * held * shares[each] + shares[each] ** 2).sum(1)
        empty = held.sum(1) == 0
        if empty.sum() >= count - position:
            cost[~empty] = np.inf
        place[each] = np.argmin(cost)
        held[place[each]] += shares[each]
    return place


def read_groups(spec: str, ids: Sequence[str]) -> list[str]:
    """Return the group of each example: what a pattern finds in its id, or a table says of it.

    `spec` is a regular expression, whose first group, or else whole match, is the name; or the
    path of a .csv file with the columns id and group. DataError names an example without a group.
    """
    return _look_up(Path(spec), ids) if spec.endswith(".csv") else _match(spec, ids)


def _match(spec: str, ids: Sequence[str]) -> list[str]:
    try:
        pattern = re.compile(spec)
    except re.error as error:
        raise ConfigError(f"--group {spec!r} is no regular expression: {error}") from None
    found = []
    for name in ids:
        match = pattern.search(name)
        value = (match[1] if pattern.groups else match[0]) if match else None
        if not value:
            raise DataError(
                f"--group {spec!r} finds no group in the id {name!r}; the pattern must match "
                "something in every id, such as '([^_/]+)_' for the part before an underscore"
            )
        found.append(value)
    return found


def _look_up(path: Path, ids: Sequence[str]) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read the groups in {path}: {error}") from None
    if not rows or not {"id", "group"} <= rows[0].keys():
        raise DataError(f"{path} must be a table with the columns id and group, in a first line")
    table = {row["id"]: row["group"] for row in rows}
    for name in ids:
        if not table.get(name):
            raise DataError(f"{path} gives no group for the example {name!r}")
    return [table[name] for name in ids]
