"""Test examples that a run has trained on: how many, which, and what it scores without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ftcore.engine.batches import RawSource, Source
from ftcore.engine.duplicates.catalogue import TEST, Catalogue
from ftcore.engine.duplicates.features import FeatureLikeness, gather_features
from ftcore.engine.duplicates.near import Pair, Search
from ftcore.engine.duplicates.sketches import about_sketches, sketch_all
from ftcore.engine.features.shelf import MemoryShelf, Shelf
from ftcore.engine.features.store import FeatureStore
from ftcore.engine.intervals import intervals
from ftcore.engine.observer import Observer
from ftcore.engine.parts import Parts
from ftcore.engine.predictions import Predictions
from ftcore.interfaces import ComparableTask, Statistics
from ftcore.record import LeaksRecord, MetricValue

MOST_COMPARED = 10**9  # pairs of a test example and another; more would take minutes
MOST_LOOKS = 3_000  # at pairs, a second time: a second or two
SHOWN = 10

EXACT = "exact copies by the hash of their content"


@dataclass(frozen=True)
class Leaks:
    """The copies in train and val of test examples; `how` says how they were found."""

    catalogue: Catalogue
    copies: Mapping[int, Sequence[Pair]]  # of each test example that has one, the likest first
    is_near_known: bool
    how: tuple[str, ...]

    def describe(self, parts: Parts, statistics: Statistics) -> LeaksRecord:
        """Return the record: the copies, and the metrics of the test examples without one."""
        catalogue, found = self.catalogue, self.copies.values()
        exact = sum(catalogue.is_exact(pairs[0]) for pairs in found)
        metrics, note = self._metrics(parts, statistics) if found else ({}, "")
        records = [[catalogue.duplicate(pair) for pair in pairs] for pairs in found]
        return LeaksRecord(
            how=self.how,
            exact=exact,
            near=len(found) - exact if self.is_near_known else None,
            in_train=sum(any(pair.other.part == "train" for pair in each) for each in records),
            conflicts=sum(any(pair.is_conflict for pair in each) for each in records),
            pairs=tuple(each[0] for each in records[:SHOWN]),
            kept=len(catalogue.tests) - len(found),
            metrics=metrics,
            note=note,
        )

    def _metrics(self, parts: Parts, statistics: Statistics) -> tuple[dict[str, MetricValue], str]:
        """Return the metrics without the copies, or why there are none."""
        task, tests = parts.task, self.catalogue.tests
        rows = statistics.rows
        if not isinstance(task, ComparableTask) or not rows:
            return {}, f"task {task.name!r} cannot score some of its examples apart"
        lengths = {len(row) for row in rows.values()} | {task.units(statistics)}
        if lengths != {len(tests)}:
            return {}, "the units that are scored are not the examples one by one"
        kept = [row for row, place in enumerate(tests) if place not in self.copies]
        if not kept:
            return {}, "every test example has a copy"
        needs = sorted({name for metric in parts.metrics for name in metric.needs})
        predictions = Predictions((), {name: row[kept] for name, row in rows.items()})
        remaining = predictions.statistics(task, parts.bundle.classes, needs)
        return intervals(parts.metrics, remaining, task), ""


def find_leaks(
    parts: Parts, raw: Mapping[str, RawSource], sources: Mapping[str, Source], observer: Observer
) -> Leaks:
    """Look in train and val for copies of test examples.

    `sources` are the same examples as they are trained on: features, where they are kept.
    """
    catalogue = Catalogue(parts.bundle, {part: source.digests for part, source in raw.items()})
    exact = catalogue.copies_of_tests(())
    tests = catalogue.unique(place for place in catalogue.tests if place not in exact)
    others = catalogue.unique(
        place for place in range(len(catalogue.contents)) if catalogue.part_of(place) != TEST
    )
    if len(tests) * len(others) > MOST_COMPARED:
        reason = f"of {len(tests):,} with {len(others):,}: ftcore data check --near looks for them"
        return Leaks(catalogue, exact, False, (EXACT, f"no near copies, {reason}"))
    search = _search(parts, raw, sources, observer)
    if search is None:
        reason = "no near copies: the dataset has no likeness, and no features were kept"
        return Leaks(catalogue, exact, False, (EXACT, reason))
    near = search.between(tests, others, MOST_LOOKS)
    how = (EXACT, describe_search(search))
    return Leaks(catalogue, catalogue.copies_of_tests(near), True, how)


def describe_search(search: Search) -> str:
    """Return in words how near copies are told, and of how many examples they cannot be."""
    likeness, blank = search.likeness, int(search.is_blank.sum())
    kind = likeness.describe().get("kind", type(likeness).__name__)
    how = (
        f"near copies by their likeness as {kind}, {likeness.threshold:g} or more, at most "
        f"{likeness.ratio:g} as far apart as the tenth neighbour"
    )
    return how + (f"; not of {blank:,} examples that show too little" if blank else "")


def _search(
    parts: Parts, raw: Mapping[str, RawSource], sources: Mapping[str, Source], observer: Observer
) -> Search | None:
    likeness = parts.bundle.likeness
    if likeness is None:
        features = gather_features([sources[part] for part in raw])
        return None if features is None else Search(FeatureLikeness(), features)
    shelf: Shelf = MemoryShelf()
    if parts.config.cache == "disk":
        shelf = FeatureStore.from_environment().shelf(about_sketches(likeness), observer)
    sketches = sketch_all(likeness, raw, shelf, observer, parts.config.workers)
    return Search(likeness, sketches)
