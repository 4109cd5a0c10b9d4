"""Does the runs of a study: those that share features together, the others one by one or N at once.

A run that fails leaves the others alone; its failure goes into the record.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ftcore.config import RunConfig
from ftcore.engine import run as engine
from ftcore.engine.directory import RunDirectory
from ftcore.engine.observer import Observer
from ftcore.engine.parts import RunParts
from ftcore.engine.planning import as_planned
from ftcore.engine.preparation import prepare
from ftcore.errors import FtcoreError, StoppedError, sentence_of
from ftcore.record import Record
from ftcore.studies.directory import StudyDirectory
from ftcore.studies.family import Family, is_family
from ftcore.studies.plan import Cell, Member

POLL = 0.2  # seconds


@dataclass(frozen=True)
class Workshop:
    """How a run is made: here, and in a process of its own."""

    compose: Callable[[RunConfig], RunParts]
    start: Callable[[Path], subprocess.Popen[str]]  # goes on with the run in a folder


@dataclass(frozen=True)
class Result:
    """What became of one run: its record, or why there is none."""

    member: Member
    record: Record | None = None
    failure: str = ""
    seconds: float = 0.0

    @property
    def words(self) -> str:
        """The first score, or the failure."""
        if self.record is None:
            return f"failed: {self.failure}"
        name, metric = next(iter(self.record.metrics.items()))
        return f"{name} undefined" if metric.value is None else f"{name} {metric.value:.4f}"


@dataclass
class Runner:
    """Works through a study's runs; what is complete in its folder is read, not made again."""

    directory: StudyDirectory
    workshop: Workshop
    observer: Observer
    jobs: int = 1
    results: dict[str, Result] = field(default_factory=dict)

    def run(self, cells: Sequence[Cell]) -> list[list[Result]]:
        """Return the result of every run, by configuration.

        Raises StoppedError where the observer asks to stop; what is complete stays.
        """
        total = sum(len(cell.members) for cell in cells)
        self.observer.step_started("runs", total, "runs")
        alone: list[Member] = []
        for cell in cells:
            open_ = [member for member in cell.members if not self._is_done(member)]
            alone += self._run_family(open_) if open_ else []
        (self._run_beside if self.jobs > 1 else self._run_in_turn)(alone)
        self.observer.step_finished()
        return [[self.results[member.name] for member in cell.members] for cell in cells]

    def _is_done(self, member: Member) -> bool:
        finished = self.directory.finished(member)
        if finished is None:
            return False
        record = finished.record()
        self._take(Result(member, record, seconds=sum(record.timings.values())))
        return True

    def _take(self, result: Result) -> None:
        self.results[result.member.name] = result
        self.observer.member_finished(result.member.name, result.words)
        self.observer.advanced(1)

    def _run_family(self, members: Sequence[Member]) -> list[Member]:
        """Do the runs that share features, and return those that do not."""
        quiet = Nested(self.observer)
        try:
            parts = self.workshop.compose(_base(members[0].config))
            if not is_family(parts):
                return [*members]
            if not parts.backbone.weights.is_pretrained and len(_by_seed(members)) > 1:
                # Random weights differ from seed to seed.
                return [each for group in _by_seed(members) for each in self._run_family(group)]
            family = Family.open(parts, quiet)
        except FtcoreError as error:
            if isinstance(error, StoppedError):
                raise
            return [*members]  # each will say what is wrong with it
        if family is None:
            return [*members]
        for member in members:
            self._stop_if_asked()
            self._take(
                _attempt(member, lambda each: family.run(each, self.directory.fresh(each), quiet))
            )
        return []

    def _run_in_turn(self, members: Sequence[Member]) -> None:
        for member in members:
            self._stop_if_asked()
            self._take(_attempt(member, self._run_here))

    def _run_here(self, member: Member) -> Record:
        path, quiet = self.directory.run_path(member), Nested(self.observer)
        is_begun = (path / "checkpoint").is_dir()
        if is_begun:
            directory = RunDirectory.open(path)
            parts = as_planned(self.workshop.compose(directory.config()), directory)
            prepared = prepare(parts, quiet)
        else:
            prepared = prepare(self.workshop.compose(member.config), quiet)
            directory = self.directory.fresh(member, prepared.parts.config)
        return engine.run(prepared, directory, quiet)

    def _run_beside(self, members: Sequence[Member]) -> None:
        """Keep `jobs` processes busy; on a request to stop, all of them stop and save."""
        waiting, busy = list(members), dict[str, _Job]()
        try:
            while waiting or busy:
                self._stop_if_asked()
                while waiting and len(busy) < self.jobs:
                    member = waiting.pop(0)
                    busy[member.name] = self._start(member)
                for name in [name for name, job in busy.items() if job.process.poll() is not None]:
                    self._take(self._collect(busy.pop(name)))
                time.sleep(POLL)
        finally:
            _stop(job.process for job in busy.values())

    def _start(self, member: Member) -> _Job:
        path = self.directory.run_path(member)
        if not (path / "checkpoint").is_dir():
            self.directory.fresh(member)
        return _Job(member, self.workshop.start(path), time.perf_counter())

    def _collect(self, job: _Job) -> Result:
        _, said = job.process.communicate()
        seconds = time.perf_counter() - job.started
        finished = self.directory.finished(job.member)
        if finished is not None:
            return Result(job.member, finished.record(), seconds=seconds)
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        last = lines[-1].removeprefix("Error: ") if lines else "it said nothing"
        return Result(job.member, failure=f"exit {job.process.returncode}: {last}", seconds=seconds)

    def _stop_if_asked(self) -> None:
        if self.observer.should_stop():
            done = sum(result.record is not None for result in self.results.values())
            raise StoppedError(f"Stopped after {done} finished runs")


@dataclass(frozen=True)
class _Job:
    member: Member
    process: subprocess.Popen[str]
    started: float


class Nested(Observer):
    """Lets a run inside a study be stopped, and each note be heard once; shows no steps."""

    def __init__(self, outer: Observer) -> None:
        self._outer, self._heard = outer, set[str]()

    def note(self, text: str) -> None:
        """Pass a note on, the first time."""
        if text not in self._heard:
            self._heard.add(text)
            self._outer.note(text)

    def should_stop(self) -> bool:
        """Return whether the study is to stop."""
        return self._outer.should_stop()


def _attempt(member: Member, make: Callable[[Member], Record]) -> Result:
    started = time.perf_counter()
    try:
        record = make(member)
    except StoppedError:
        raise
    except Exception as error:  # a border: one run's failure is not the study's
        return Result(member, failure=sentence_of(error), seconds=time.perf_counter() - started)
    return Result(member, record, seconds=time.perf_counter() - started)


def _by_seed(members: Sequence[Member]) -> list[list[Member]]:
    groups: dict[int, list[Member]] = {}
    for member in members:
        groups.setdefault(member.seed, []).append(member)
    return list(groups.values())


def _base(config: RunConfig) -> RunConfig:
    """Return a configuration whose parts hold every example that its family uses."""
    return config.model_copy(update={"shots": None})


def _stop(processes: Iterable[subprocess.Popen[str]]) -> None:
    running = [process for process in processes if process.poll() is None]
    for process in running:
        process.terminate()
    for process in running:
        process.communicate()
