"""The examples of all parts in one line: each has a place, and a hash of its content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from ftcore.engine.duplicates.near import Pair
from ftcore.interfaces import DataBundle
from ftcore.record import DuplicateRecord, ExampleRecord

TEST = "test"


class Catalogue:
    """The examples of a bundle, part after part; equal digests mean equal content."""

    def __init__(self, bundle: DataBundle, digests: Mapping[str, Sequence[str]]) -> None:
        self.bundle = bundle
        self.contents = [digest for each in digests.values() for digest in each]
        self.groups: dict[str, list[int]] = {}  # the places of each content
        for place, digest in enumerate(self.contents):
            self.groups.setdefault(digest, []).append(place)
        self._at = [(part, index) for part, each in digests.items() for index in range(len(each))]
        self._targets = {part: bundle.splits[part].targets for part in digests}

    @cached_property
    def tests(self) -> list[int]:
        """The places of the test examples."""
        return [place for place in range(len(self._at)) if self.part_of(place) == TEST]

    def part_of(self, place: int) -> str:
        """Return the part of a place."""
        return self._at[place][0]

    def unique(self, places: Iterable[int]) -> list[int]:
        """Return those of the places whose content none before them has."""
        first: dict[str, int] = {}
        for place in places:
            first.setdefault(self.contents[place], place)
        return list(first.values())

    def example(self, place: int) -> ExampleRecord:
        """Return the name and the target of an example."""
        part, index = self._at[place]
        return ExampleRecord(
            part=part, id=self.bundle.splits[part].ids[index], target=self._target(part, index)
        )

    def duplicate(self, pair: Pair) -> DuplicateRecord:
        """Return the names and the targets of a pair."""
        one, other = self.example(pair.one), self.example(pair.other)
        return DuplicateRecord(one=one, other=other, likeness=pair.likeness)

    def is_exact(self, pair: Pair) -> bool:
        """Tell whether both have the same content."""
        return self.contents[pair.one] == self.contents[pair.other]

    def copies_of_tests(self, near: Iterable[Pair]) -> dict[int, list[Pair]]:
        """Return the copies in other parts of each test example that has one, the likest first.

        `near` holds near copies among the first places of each content. Of the copies of one
        content, which may be thousands, one is returned for each part and target.
        """
        copies: dict[int, list[Pair]] = {}
        for digest, group in self.groups.items():
            if len(group) > 1:
                self._cross(copies, digest, digest, 1.0)
        for pair in sorted(near, key=lambda pair: -pair.likeness):
            one, other = self.contents[pair.one], self.contents[pair.other]
            self._cross(copies, one, other, pair.likeness)
            self._cross(copies, other, one, pair.likeness)
        return dict(sorted(copies.items()))

    def _cross(
        self, copies: dict[int, list[Pair]], content: str, other: str, likeness: float
    ) -> None:
        tests = [place for place in self.groups[content] if self.part_of(place) == TEST]
        outside: dict[tuple[str, str], int] = {}
        for place in self.groups[other] if tests else ():
            if self.part_of(place) != TEST:
                outside.setdefault((self.part_of(place), self._target(*self._at[place])), place)
        for test in tests if outside else ():
            found = (Pair(test, place, likeness) for place in outside.values())
            copies.setdefault(test, []).extend(found)

    def _target(self, part: str, index: int) -> str:
        targets, classes = self._targets[part], self.bundle.classes
        if targets.ndim == 1 and not targets.is_floating_point():
            target = int(targets[index])
            return classes[target] if 0 <= target < len(classes) else str(target)
        return str(targets[index].tolist())
