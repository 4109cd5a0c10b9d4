"""Test examples that a run has trained on: how many, which, and what it scores without them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ftcore.engine.batches import RawSource, Source
from ftcore.engine.duplicates.catalogue import TEST, Catalogue
from ftcore.engine.duplicates.features import FeatureLikeness, gather_features
from ftcore.engine.duplicates.kept import Found, find_once
from ftcore.engine.duplicates.near import Pair, Search
from ftcore.engine.duplicates.sketches import about_sketches, sketch_all
from ftcore.engine.features.shelf import MemoryShelf, Shelf
from ftcore.engine.features.store import FeatureStore
from ftcore.engine.intervals import intervals
from ftcore.engine.needs import needs_of
from ftcore.engine.observer import Observer
from ftcore.engine.parts import Parts
from ftcore.engine.predictions import Predictions
from ftcore.interfaces import ComparableTask, Likeness, Statistics
from ftcore.record import LeaksRecord, MetricValue

MOST_COMPARED = 10**9  # pairs of a test example and another; more would take minutes
FEW_LOOKS = 1_000  # at pairs, a second time; of more test examples, as many as there are
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
        needs = needs_of(parts.metrics)
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

    def look(search: Search) -> Found:
        pairs = search.between(tests, others, max(FEW_LOOKS, len(tests)))
        return Found(pairs, describe_search(search))

    likeness = parts.bundle.likeness
    if len(tests) * len(others) > MOST_COMPARED:
        reason = f"of {len(tests):,} with {len(others):,}: ftcore data check --near looks for them"
        near = Found(None, f"no near copies, {reason}")
    elif likeness is not None:
        near = _by_likeness(likeness, parts, raw, observer, look)
    else:
        near = _by_features([sources[part] for part in raw], look)
    copies = catalogue.copies_of_tests(near.pairs or ())
    return Leaks(catalogue, copies, near.pairs is not None, (EXACT, near.how))


def _by_likeness(
    likeness: Likeness,
    parts: Parts,
    raw: Mapping[str, RawSource],
    observer: Observer,
    look: Callable[[Search], Found],
) -> Found:
    shelf: Shelf = MemoryShelf()
    folder = None
    if parts.config.cache == "disk":
        shelf = FeatureStore.from_environment().shelf(about_sketches(likeness), observer)
        folder = shelf.folder
    limits = [likeness.threshold, likeness.certain, likeness.ratio]
    about = [[[part, list(source.digests)] for part, source in raw.items()], limits]
    workers = parts.config.workers
    return find_once(
        folder,
        about,
        lambda: look(Search(likeness, sketch_all(likeness, raw, shelf, observer, workers))),
    )


def _by_features(sources: Sequence[Source], look: Callable[[Search], Found]) -> Found:
    features = gather_features(sources)
    if features is None:
        return Found(None, "no near copies: the dataset has no likeness, and no features were kept")
    return look(Search(FeatureLikeness(), features))


def describe_search(search: Search) -> str:
    """Return in words how near copies are told, and of how many examples they cannot be."""
    likeness, blank = search.likeness, int(search.is_blank.sum())
    kind = likeness.describe().get("kind", type(likeness).__name__)
    how = (
        f"near copies by their likeness as {kind}, {likeness.threshold:g} or more, at most "
        f"{likeness.ratio:g} as far apart as the tenth neighbour"
    )
    return how + (f"; not of {blank:,} examples that show too little" if blank else "")
