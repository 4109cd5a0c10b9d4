"""Runs that differ in fold, seed and shots alone, on features that are computed once for all.

Where a configuration trains a head alone, each of its runs is a head on the same features: the
backbone is prepared and hashed once, and only the heads are trained.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ftcore.engine.batches import CachedSource, RawSource, cached
from ftcore.engine.device import deterministic
from ftcore.engine.digests import digests
from ftcore.engine.directory import RunDirectory
from ftcore.engine.duplicates.leaks import Leaks, find_leaks
from ftcore.engine.features.feeds import Feed
from ftcore.engine.features.segment import Rows
from ftcore.engine.freezing import check_unmoved
from ftcore.engine.heads import Examples, Fold, TrainedHead, grid, select, train_heads
from ftcore.engine.observer import Observer
from ftcore.engine.outcome import Outcome, conclude
from ftcore.engine.partition import make_parts
from ftcore.engine.parts import RunParts
from ftcore.engine.planning import is_measured
from ftcore.engine.preparation import Prepared, prepare
from ftcore.engine.repeats import trains_as_heads
from ftcore.engine.search import choices, describe_search, is_searched
from ftcore.engine.summary import prove
from ftcore.interfaces import Split
from ftcore.record import FeaturesRecord, Record
from ftcore.studies.plan import Member


def is_family(parts: RunParts) -> bool:
    """Tell whether runs like this one train a head alone, on features that may be kept.

    Baselines that need more than the targets are made by runs alone.
    """
    if is_measured(parts):  # each has a plan of its own
        return False
    if not {"majority"}.issuperset(parts.config.baseline_names):
        return False
    head = parts.task.build_head(parts.backbone, parts.bundle)
    plan = parts.strategy.plan(parts.backbone, head, parts.config.epochs)
    return trains_as_heads(parts.config, plan)


class Family:
    """A prepared backbone, and what it makes of every example."""

    def __init__(self, prepared: Prepared, feed: Feed) -> None:
        self.prepared, self.stages = prepared, feed.stages
        sources = [cached(source) for source in feed.sources.values()]
        self._row: dict[tuple[str, str], int] = {}
        self._index(feed)
        features = torch.cat([source.first_view() for source in sources])
        self.examples = Examples(features, torch.cat([source.targets for source in sources]))
        self._frozen = digests(prepared.freezer.frozen_state())
        self._leaks: dict[tuple[str | None, int | None, int | None], Leaks] = {}
        self._is_first = True

    @classmethod
    def open(cls, parts: RunParts, observer: Observer) -> Family | None:
        """Prepare the backbone and compute the features; None where they are not to be kept.

        The parts of `parts` hold every example that a run of the family uses.
        """
        prepared = prepare(parts, observer)
        with deterministic():
            if prepared.feeder.cuts.throughout < len(parts.backbone.stages):
                return None
            return cls(prepared, prepared.feeder.throughout())

    def run(self, member: Member, directory: RunDirectory, observer: Observer) -> Record:
        """Train and evaluate one head, and write its run down as if it had been made alone."""
        parts = self._parts(member)
        leaks = self._find_leaks(parts, observer)
        started = time.perf_counter()
        with deterministic():
            trained, chosen = self._train(parts, observer)
            self._load(chosen)
            trained_at = time.perf_counter()
            after = digests(self.prepared.freezer.frozen_state())
            check_unmoved(self._frozen, after)
            test = self._source("test", parts)
            statistics, _ = replace(self.prepared.evaluator, bundle=parts.bundle).statistics(
                self.prepared.model[self.stages :], test, observer
            )
        found = {"lr": chosen.head.lr, "weight_decay": chosen.head.weight_decay}
        is_searched_for = is_searched(parts.config)
        parts = replace(parts, config=parts.config.model_copy(update=found))
        outcome = Outcome(
            model=self.prepared.model,
            history=chosen.history,
            freeze=prove(self.prepared.freezer, self._frozen, after, self.stages),
            statistics=statistics,
            ids=test.ids,
            features=self._features(chosen),
            search=describe_search(trained, chosen) if is_searched_for else (),
            leaks=leaks,
            seconds={"training": trained_at - started, "test": time.perf_counter() - trained_at},
        )
        return conclude(outcome, parts, self.prepared.machine, directory)

    def _parts(self, member: Member) -> RunParts:
        """The family's objects, with the parts and the seed of one run."""
        base = self.prepared.parts
        resolved: dict[str, Any] = {
            "lr": base.config.lr,
            "cache": base.config.cache,
            "weights": base.config.weights,
        }
        resolved |= {"task": base.config.task, "metric": base.config.metric}
        config = member.config.model_copy(update=resolved)
        return replace(base, bundle=make_parts(base.dataset, config), config=config)

    def _train(self, parts: RunParts, observer: Observer) -> tuple[list[TrainedHead], TrainedHead]:
        rows = {part: self._rows(part, split) for part, split in parts.bundle.splits.items()}
        fold = Fold(rows["train"], rows["val"])
        heads = grid([fold], [parts.config.seed], *choices(parts.config))
        trained = train_heads(parts, self.examples, heads, observer)
        return trained, select(trained, parts.metrics[0])

    def _index(self, feed: Feed) -> None:
        """Number the examples; ids of two parts that a dataset keeps apart may be the same."""
        names = [(part, name) for part, source in feed.sources.items() for name in source.ids]
        self._is_unique = len({name for _, name in names}) == len(names)
        for row, (part, name) in enumerate(names):
            self._row["" if self._is_unique else part, name] = row

    def _load(self, chosen: TrainedHead) -> None:
        head = self.prepared.model[-1]
        head.load_state_dict(chosen.state)

    def _rows(self, part: str, split: Split) -> Tensor:
        where = "" if self._is_unique else part
        return torch.tensor([self._row[where, name] for name in split.ids])

    def _source(self, part: str, parts: RunParts) -> CachedSource:
        features, split = Rows([self.examples.features]), parts.bundle.splits[part]
        return CachedSource(features, self._rows(part, split)[None], split.targets, split.ids)

    def _find_leaks(self, parts: RunParts, observer: Observer) -> Leaks:
        """Look once for runs whose parts are the same."""
        config, preprocess = parts.config, parts.backbone.preprocess
        key = config.fold, config.shots, None if config.shots is None else config.seed
        if key not in self._leaks:
            splits = parts.bundle.splits
            raw = {
                name: RawSource(split, preprocess, config.seed) for name, split in splits.items()
            }
            sources = {name: self._source(name, parts) for name in splits}
            self._leaks[key] = find_leaks(parts, raw, sources, observer)
        return self._leaks[key]

    def _features(self, chosen: TrainedHead) -> tuple[FeaturesRecord, ...]:
        """What the run found and computed: the first one of the family computed for all."""
        records = self.prepared.feeder.describe([row.epoch for row in chosen.history])
        if self._is_first:
            self._is_first = False
            return records
        found = {"computed": 0, "seconds": 0.0}
        return tuple(
            each.model_copy(
                update={
                    **found,
                    "found": each.examples,
                    "saved_seconds": each.saved_seconds + each.seconds,
                }
            )
            for each in records
        )
