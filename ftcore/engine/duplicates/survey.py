"""What is found in a dataset when all of it is read: copies, between the parts and within each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ftcore.content import digest_of
from ftcore.engine.duplicates.catalogue import Catalogue
from ftcore.engine.duplicates.features import FeatureLikeness, hint_at
from ftcore.engine.duplicates.leaks import describe_search
from ftcore.engine.duplicates.near import Pair, Search
from ftcore.interfaces import DataBundle, Raw
from ftcore.record import DuplicateRecord, DuplicatesRecord, LeakCount

EXACT = "exact copies by the hash of their decoded content"
MOST_SEARCHED = 100_000  # examples, unless asked for: comparing all with all grows with the square


@dataclass
class Survey:
    """Gathers what tells examples apart, from whoever reads them: `note` may be called by threads.

    Decoded content is what is hashed, so that a file stored anew without loss is the same.
    """

    bundle: DataBundle
    near: bool | None = None  # None where the number of examples decides
    features: Tensor | None = None  # (N, D) of all parts in a line, where there are some
    _digests: dict[tuple[str, int], str] = field(default_factory=dict)
    _sketches: dict[tuple[str, int], Tensor] = field(default_factory=dict)

    @property
    def is_searched(self) -> bool:
        """Whether near copies are looked for."""
        examples = sum(len(split) for split in self.bundle.splits.values())
        return examples <= MOST_SEARCHED if self.near is None else self.near

    def note(self, part: str, indices: Sequence[int], raw: Sequence[Raw]) -> None:
        """Take in examples that were read."""
        split = self.bundle.splits[part]
        try:
            digests: Sequence[str] = [digest_of(each) for each in raw]
        except TypeError:  # of a kind whose content the split alone can tell
            digests = split.digests(indices)
        self._digests.update(zip(((part, index) for index in indices), digests, strict=True))
        if self.is_searched and self.bundle.likeness is not None:
            sketches = self.bundle.likeness.sketch(raw)
            keys = ((part, index) for index in indices)
            self._sketches.update(zip(keys, sketches, strict=True))

    def describe(self) -> DuplicatesRecord:
        """Return the copies, after all examples were read."""
        parts = self.bundle.splits
        digests = {
            part: [self._digests[part, index] for index in range(len(split))]
            for part, split in parts.items()
        }
        catalogue = Catalogue(self.bundle, digests)
        places = catalogue.unique(range(len(catalogue.contents)))
        search, how = self._search(places)
        near = None if search is None else search.among(places)
        exact = [group for group in catalogue.groups.values() if len(group) > 1]
        records = [catalogue.duplicate(pair) for pair in near or ()]
        return DuplicatesRecord(
            how=(EXACT, how),
            exact=tuple(tuple(map(catalogue.example, group)) for group in exact),
            near=None if near is None else tuple(records),
            leaked=_count_leaks(catalogue, near or ()),
            conflicts=(*_conflicts(catalogue, exact), *(r for r in records if r.is_conflict)),
        )

    def _search(self, places: Sequence[int]) -> tuple[Search | None, str]:
        """Return where to look for near copies, and in words how, or why not."""
        likeness, features = self.bundle.likeness, self.features
        if self.near is False:
            return None, "no near copies, as asked for"
        if not self.is_searched:
            many = f"more than {MOST_SEARCHED:,} examples"
            return None, f"no near copies: {many}; --near looks for them"
        if likeness is not None:
            keys = ((p, i) for p, split in self.bundle.splits.items() for i in range(len(split)))
            sketches = torch.stack([self._sketches[key] for key in keys])
            hints = None if features is None else hint_at(features, places)
            beside = "" if hints is None else ", where that or the features say so at a glance"
            search = Search(likeness, sketches, hints)
            return search, describe_search(search) + beside
        if features is not None:
            search = Search(FeatureLikeness(), features)
            return search, describe_search(search)
        return None, "no near copies: the dataset has no likeness; --backbone compares its features"


def _count_leaks(catalogue: Catalogue, near: Sequence[Pair]) -> dict[str, LeakCount]:
    counts: dict[str, list[bool]] = {part: [] for part in catalogue.bundle.splits if part != "test"}
    if not catalogue.tests:
        return {}
    for pairs in catalogue.copies_of_tests(near).values():
        for part, exact in counts.items():
            inside = [pair for pair in pairs if catalogue.part_of(pair.other) == part]
            if inside:
                exact.append(any(catalogue.is_exact(pair) for pair in inside))
    return {
        part: LeakCount(exact=sum(exact), near=len(exact) - sum(exact))
        for part, exact in counts.items()
    }


def _conflicts(catalogue: Catalogue, groups: Sequence[Sequence[int]]) -> list[DuplicateRecord]:
    """The first of each group, with each other that has another target."""
    pairs = [
        catalogue.duplicate(Pair(group[0], place, 1.0)) for group in groups for place in group[1:]
    ]
    return [pair for pair in pairs if pair.is_conflict]
