"""Completes what is kept of a prefix's features: finds what is there, computes what is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat

import torch
from torch import Tensor

from ftcore.engine.batches import CachedSource, load_ahead
from ftcore.engine.evaluation import not_finite
from ftcore.engine.features import segment as segments
from ftcore.engine.features.lanes import side_by_side
from ftcore.engine.features.segment import Rows, Segment
from ftcore.engine.features.shelf import Shelf
from ftcore.engine.features.wanted import Job, Place, Want, jobs_of, line_up, missing_of
from ftcore.engine.observer import Observer
from ftcore.engine.prefix import FastPrefix
from ftcore.errors import NumericalError, StoppedError
from ftcore.interfaces import Inputs

TOLERANCE = 1e-4  # between features kept and computed anew, as a fraction of the largest


@dataclass
class Tally:
    """What was found, what was computed, and how long that takes."""

    found: int = 0
    computed: int = 0
    bytes: int = 0
    seconds: float = 0.0  # spent on computing, in this run
    how: str = ""
    difference: float = 0.0
    is_in_memory: bool = False
    timed: int = 0  # examples whose computing took `timed_seconds`, in this run or another
    timed_seconds: float = 0.0

    @property
    def seconds_per_example(self) -> float:
        """The time that computing an example was measured to take."""
        return self.timed_seconds / max(self.timed, 1)


@dataclass
class Completion:
    """Completes a shelf with the features that are wanted."""

    shelf: Shelf
    plain: Callable[[Inputs], Tensor]  # the stages as they are
    accelerate: Callable[[], FastPrefix]  # called where something has to be computed
    observer: Observer
    workers: int = 0  # processes that load
    lanes: int = 1  # threads that compute
    tally: Tally = field(default_factory=Tally)
    step: str = "computing frozen features"

    def complete(self, wants: Mapping[str, Want]) -> dict[str, CachedSource]:
        """Return the features of each part; what was missing is computed and kept.

        Raises DataError for examples that cannot be read, NumericalError for features that are not
        finite, StoppedError where the observer stops; what was computed until then is kept.
        """
        names = {name for want in wants.values() for view in want.names for name in view}
        found = self._find(wants, names)
        if missing_of(wants, found):
            with self.shelf.locked():
                found = self._find(wants, names)  # another run may have been at it
                missing = missing_of(wants, found)
                self.tally.found += len(names) - len(missing)
                found = [*found, *self._compute(wants, missing)]
        else:
            self.tally.found += len(names)
        self._measure(names, found)
        rows, index = line_up(found)
        return {part: _source(want, rows, index) for part, want in wants.items()}

    def _find(self, wants: Mapping[str, Want], names: set[str]) -> Sequence[Segment]:
        found = self.shelf.find(names)
        if not found or self._is_true(wants, found):
            return found
        self.observer.note(
            "the features kept are not those that the frozen stages give now, as after a change in "
            "the backbone's code; they are computed again"
        )
        self.shelf.discard()
        return []

    def _is_true(self, wants: Mapping[str, Want], found: Sequence[Segment]) -> bool:
        """Compute two examples anew: a key tells weights and settings, but not code."""
        rows, index = line_up(found)
        for want in wants.values():
            for view, names in enumerate(want.names):
                held = [place for place, name in enumerate(names) if name in index]
                if not held:
                    continue
                chosen = [held[0], held[-1]]
                kept = rows.take(torch.tensor([index[names[place]] for place in chosen])).float()
                now = self.plain(want.source.load(chosen, view)).cpu().float()
                if kept.shape != now.shape:
                    return False
                allowed = TOLERANCE + max(segment.difference for segment in found)
                return bool((kept - now).abs().max() <= allowed * now.abs().max())
        return True

    def _measure(self, names: set[str], found: Sequence[Segment]) -> None:
        tally = self.tally
        used = [each for each in found if not names.isdisjoint(each.names)]
        tally.bytes += len(names) * used[0].features[0].nbytes
        tally.timed += sum(len(each.names) for each in used)
        tally.timed_seconds += sum(each.seconds for each in used)
        tally.how = used[0].how
        tally.is_in_memory = tally.is_in_memory or self.shelf.is_in_memory
        tally.difference = max(tally.difference, *(each.difference for each in used))

    def _compute(
        self, wants: Mapping[str, Want], missing: Mapping[str, Place]
    ) -> Sequence[Segment]:
        prefix = self.accelerate()
        if prefix.note:
            self.observer.note(prefix.note)
        self.observer.step_started(self.step, len(missing), "examples")
        writer = _Writer(self.shelf, prefix)
        try:
            for names, output in self._batches(wants, missing, prefix):
                writer.add(names, output)
                self.tally.computed += len(names)
                self.observer.advanced(len(names))
                if self.observer.should_stop():
                    raise StoppedError(f"Stopped while {self.step}")
        finally:
            writer.flush()
            self.tally.seconds += writer.seconds
        self.observer.step_finished()
        return writer.segments

    def _batches(
        self, wants: Mapping[str, Want], missing: Mapping[str, Place], prefix: FastPrefix
    ) -> Iterator[tuple[Sequence[str], Tensor]]:
        load = partial(_load, wants)

        def compute(item: tuple[Job, Inputs]) -> tuple[Sequence[str], Tensor]:
            job, inputs = item
            output = prefix(load(job) if inputs is None else inputs).cpu()[: len(job.names)]
            _check_finite(output, job.indices, wants[job.part].source.ids)
            return job.names, output

        jobs = list(jobs_of(missing, prefix.batch_size))
        # Where no processes load, each lane loads what it computes.
        loaded = load_ahead(load, jobs, self.workers) if self.workers else repeat(None)
        yield from side_by_side(compute, zip(jobs, loaded, strict=False), self.lanes)


def _load(wants: Mapping[str, Want], job: Job) -> Inputs:
    return wants[job.part].source.load(job.indices, job.view)


class _Writer:
    """Gathers features into segments, and the time between them."""

    def __init__(self, shelf: Shelf, prefix: FastPrefix) -> None:
        self.shelf, self.prefix = shelf, prefix
        self.segments: list[Segment] = []
        self.seconds = 0.0
        self._names: list[str] = []
        self._outputs: list[Tensor] = []
        self._bytes = 0
        self._started = time.perf_counter()

    def add(self, names: Sequence[str], output: Tensor) -> None:
        self._names += names
        self._outputs.append(output)
        self._bytes += output.nbytes
        if self._bytes >= segments.BYTES:
            self.flush()

    def flush(self) -> None:
        seconds = time.perf_counter() - self._started
        if self._names:
            features = torch.cat(self._outputs)
            how, difference = self.prefix.how, self.prefix.difference
            segment = Segment(tuple(self._names), features, seconds, how, difference)
            self.segments.append(self.shelf.add(segment))
            self._names, self._outputs, self._bytes = [], [], 0
        self.seconds += seconds
        self._started = time.perf_counter()  # writing is not computing


def _source(want: Want, rows: Rows, index: Mapping[str, int]) -> CachedSource:
    places = [[index[name] for name in view] for view in want.names]
    return CachedSource(rows, torch.tensor(places), want.source.targets, want.source.ids)


def _check_finite(output: Tensor, indices: Sequence[int], ids: Sequence[str]) -> None:
    bad = not_finite(output, indices, ids)
    if bad:
        raise NumericalError(
            f"the frozen stages return values that are not finite for {len(bad)} of "
            f"{len(output)} examples, the first is {bad[0]!r}; look at it, or use --precision fp32"
        )
