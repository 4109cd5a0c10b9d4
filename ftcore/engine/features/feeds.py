"""What each phase trains on: raw examples, or the features below its cut."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from torch import Tensor

from ftcore.engine.batches import RawSource, Source
from ftcore.engine.checks import check_inputs
from ftcore.engine.features.computing import Completion, Tally
from ftcore.engine.features.cut import Cost, Cuts, Keep, choose_keep
from ftcore.engine.features.segment import Segment
from ftcore.engine.features.shelf import MemoryShelf, Shelf
from ftcore.engine.features.stages import FrozenStages
from ftcore.engine.features.store import FeatureStore
from ftcore.engine.features.wanted import Want
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.errors import ConfigError, DataError, NumericalError
from ftcore.interfaces import FreezePlan, Phase
from ftcore.record import FeaturesRecord


@dataclass(frozen=True)
class Feed:
    """The inputs of each part, which have passed the lowest `stages` already."""

    stages: int
    sources: Mapping[str, Source]


@dataclass
class Feeder:
    """Hands out feeds; features are computed when they are first asked for.

    After `decide`, `keep` says where they are kept, `reason` why, and `costs` what each cut takes.
    `tallies` says of each cut what was found and what computed. `below` are features of the same
    examples that there are already, from which the cuts' are made.
    """

    parts: RunParts
    stages: FrozenStages
    plan: FreezePlan
    cuts: Cuts
    raw: Mapping[str, RawSource]
    observer: Observer
    below: Feed | None = None
    keep: Keep = "off"
    reason: str = ""
    costs: tuple[Cost, ...] = ()
    tallies: dict[int, Tally] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._store = FeatureStore.from_environment()
        self._pretrained = {cut: self.stages.weights(cut) for cut in self.cuts.counts}
        self._shelves: dict[tuple[int, str], Shelf] = {}
        self._feeds: dict[int, Feed] = {}
        self._named: dict[str, Sequence[Sequence[str]]] = {}

    def decide(self) -> None:
        """Settle where features are kept; ConfigError for a demand that cannot be met."""
        asked = self.parts.config.cache
        if not self.cuts.counts:
            if asked in ("memory", "disk"):
                raise ConfigError(f"--cache {asked} is not possible: {self.cuts.reason}")
            self.reason = self.cuts.reason
            return
        with self._naming_all():
            kept = self._costs_if_kept() if asked in ("auto", "disk") else None
            if kept is not None:
                self.costs, self.keep, self.reason = tuple(kept), "disk", "found in the cache"
                return
            examples = sum(len(view) for part in self.raw for view in self._names(part))
            costs = self.stages.costs(self.cuts.counts, self.raw["train"], examples)
        self.costs = tuple(costs)
        self.keep, self.reason = choose_keep(asked, costs, self._store)
        self._shelves.clear()  # which were looked into before it was known where to keep
        if self.keep == "off":
            self.cuts = Cuts(0, (0,) * len(self.plan.phases), self.reason)

    def throughout(self) -> Feed:
        """Return the feed whose cut holds in all phases, with every part."""
        return self._feed(self.cuts.throughout, tuple(self.raw))

    def above_all(self) -> Feed | None:
        """Return the feed above all stages, as they are now, where a phase has that cut."""
        top = len(self.parts.backbone.stages)
        return self._feed(top, tuple(self.raw)) if top in self.cuts.counts else None

    def in_phase(self, phase: Phase) -> Feed:
        """Return the feed of a phase that begins, with its train and val parts at least."""
        cut = self.cuts.phases[self.plan.phases.index(phase)]
        for other in self._feeds.keys() - {cut, self.cuts.throughout}:
            del self._feeds[other]  # what is trained in this phase may lie below it
        if cut == self.cuts.throughout:
            return self.throughout()
        return self._feed(cut, ("train", "val"))

    def adopt(self, features: Tensor, other: Feeder) -> None:
        """Keep on disk what `other` computed below the cut of all phases, one row an example.

        The rows (N, ...) are in the order of the parts. Nothing is kept where features are not kept
        on disk, nor what is there already.
        """
        cut, tally = self.cuts.throughout, other.tallies[other.cuts.throughout]
        if self.keep != "disk":
            return
        start = 0
        for part, source in self.raw.items():
            rows = features[start : start + len(source.ids)]
            start += len(rows)
            shelf, names = self._shelf(cut, part), self._names(part)[0]
            with shelf.locked():
                held = {name for each in shelf.find(names) for name in each.names}
                new = {name: row for row, name in enumerate(names) if name not in held}
                if new:
                    seconds = tally.seconds_per_example * len(new)
                    kept = rows[list(new.values())]
                    shelf.add(Segment(list(new), kept, seconds, tally.how, tally.difference))

    def describe(self, epochs: Sequence[int]) -> tuple[FeaturesRecord, ...]:
        """Return what was kept below each cut, and the time it saved in those epochs."""
        uses = dict.fromkeys(self.cuts.counts, 0)
        for epoch in epochs:
            cut = self.cuts.phases[self.plan.phases.index(self.plan.phase_at(epoch))]
            for below in {cut, self.cuts.throughout} - {0}:
                uses[below] += len(self.raw["train"].targets) + len(self.raw["val"].targets)
        if self.cuts.throughout:
            uses[self.cuts.throughout] += len(self.raw["test"].targets)
        return tuple(self._record(cut, self.tallies[cut], uses[cut]) for cut in self.tallies)

    def _record(self, cut: int, tally: Tally, uses: int) -> FeaturesRecord:
        names = [name for name, _ in self.stages.model.named_children()]
        base = self.cuts.throughout if cut > self.cuts.throughout else 0
        return FeaturesRecord(
            first_stage=names[base],
            last_stage=names[cut - 1],
            kept="memory" if tally.is_in_memory else "disk",
            examples=tally.found + tally.computed,
            found=tally.found,
            computed=tally.computed,
            bytes=tally.bytes,
            seconds=tally.seconds,
            saved_seconds=uses * tally.seconds_per_example - tally.seconds,
            prefix=tally.how,
            difference=tally.difference,
        )

    def _feed(self, cut: int, parts: Collection[str]) -> Feed:
        if cut == 0:
            return Feed(0, self.raw)
        if cut not in self._feeds:
            with self._naming_all():
                self._feeds[cut] = self._complete(cut, parts)
        return self._feeds[cut]

    def _complete(self, cut: int, parts: Collection[str]) -> Feed:
        base = self.below or Feed(0, self.raw)
        if cut > self.cuts.throughout:
            base = self.throughout()
        below, stages = base.stages, self.stages
        sources: dict[str, Source] = {}
        for group in self._alike(parts):
            probe = base.sources[group[0]]
            completion = Completion(
                self._shelf(cut, group[0]),
                partial(stages.plain, below, cut),
                partial(stages.fast, below, cut, probe),
                self.observer,
                self.parts.config.workers,
                stages.lanes,
                self.tallies.setdefault(cut, Tally()),
            )
            wants = {part: Want(base.sources[part], self._names(part)) for part in group}
            sources |= completion.complete(wants)
        return Feed(cut, sources)

    @contextmanager
    def _naming_all(self) -> Iterator[None]:
        """Where one example cannot be used, look at all, so that the error names the others too."""
        try:
            yield
        except (DataError, NumericalError):
            check_inputs(self.parts.bundle, self.observer, None)
            raise

    def _names(self, part: str) -> Sequence[Sequence[str]]:
        """What the features of a part are called, by view; hashed once."""
        if part not in self._named:
            source = self.raw[part]
            views = range(max(1, source.views))
            self._named[part] = [source.names(view) for view in views]
        return self._named[part]

    def _alike(self, parts: Collection[str]) -> list[list[str]]:
        """The parts that are preprocessed alike, and so share a shelf, together."""
        groups: dict[str, list[str]] = {}
        for part in parts:
            described = json.dumps(self.raw[part].preprocess.describe(), sort_keys=True)
            groups.setdefault(described, []).append(part)
        return list(groups.values())

    def _shelf(self, cut: int, part: str) -> Shelf:
        may_have_moved = cut > self.cuts.throughout
        weights = self.stages.weights(cut) if may_have_moved else self._pretrained[cut]
        about = self.stages.about(cut, weights, self.raw[part])
        at = (cut, json.dumps(about, sort_keys=True))
        if at not in self._shelves:
            # What was trained before it froze is this run's own: nobody else will ask for it.
            is_own = weights != self._pretrained[cut]
            in_memory = self.keep == "memory" or is_own
            self._shelves[at] = (
                MemoryShelf() if in_memory else self._store.shelf(about, self.observer)
            )
        return self._shelves[at]

    def _costs_if_kept(self) -> list[Cost] | None:
        """Return what the cuts cost where all their features are on disk, else None."""
        costs = []
        for cut in self.cuts.counts:
            parts = tuple(self.raw) if cut == self.cuts.throughout else ("train", "val")
            for group in self._alike(parts):
                names = {name for part in group for view in self._names(part) for name in view}
                found = self._shelf(cut, group[0]).find(names)
                if not names <= {name for each in found for name in each.names}:
                    return None
                seconds = sum(each.seconds for each in found) / sum(len(e.names) for e in found)
                costs.append(Cost(cut, found[0].features[0].nbytes, seconds, len(names)))
        return costs
