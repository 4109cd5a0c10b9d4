"""Where the features of one fixed function are kept: in memory, or in files that runs share."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ftcore.engine.features.segment import Segment
from ftcore.engine.locking import holding
from ftcore.engine.observer import Observer
from ftcore.engine.storage import remove_leftovers, write_json
from ftcore.errors import DataError, FtcoreError, StoppedError

ABOUT = "about.json"
LOCK = "lock"


class Shelf(Protocol):
    """The kept features of one fixed function."""

    @property
    def is_in_memory(self) -> bool:
        """Whether some are in the memory of this process alone."""

    def find(self, names: Collection[str]) -> list[Segment]:
        """Return the segments that hold any of `names`."""

    def add(self, segment: Segment) -> Segment:
        """Keep a segment, and return it as it is kept."""

    def discard(self) -> None:
        """Delete all that is kept."""

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Keep others from adding to it."""


@dataclass
class MemoryShelf:
    """Features of this process alone."""

    segments: list[Segment] = field(default_factory=list)
    is_in_memory = True

    def find(self, names: Collection[str]) -> list[Segment]:
        """Return all segments."""
        return list(self.segments)

    def add(self, segment: Segment) -> Segment:
        """Keep a segment."""
        self.segments.append(segment)
        return segment

    def discard(self) -> None:
        """Forget all segments."""
        self.segments.clear()

    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Do nothing: nobody else can add."""
        return contextlib.nullcontext()


@dataclass
class DiskShelf:
    """Features in the files of a folder, whose name is their function's key.

    `about` says what decides them; `make_room` is called with the size of what is to be written.
    """

    folder: Path
    about: Mapping[str, Any]
    make_room: Callable[[int], None]
    observer: Observer

    def __post_init__(self) -> None:
        self.key = self.folder.name
        self._opened: dict[Path, Segment] = {}  # which have been verified
        self._unwritten: list[Segment] = []

    @property
    def is_in_memory(self) -> bool:
        """Whether the disk did not take all."""
        return bool(self._unwritten)

    def find(self, names: Collection[str]) -> list[Segment]:
        """Return the segments that hold any of `names`; a damaged file is deleted, and said so."""
        wanted = set(names)
        found = [each for each in self._unwritten if not wanted.isdisjoint(each.names)]
        for path in sorted(self.folder.glob("*.safetensors")):
            segment = self._open(path)
            if segment is not None and not wanted.isdisjoint(segment.names):
                found.append(segment)
        if found and self.folder.is_dir():
            os.utime(self.folder / ABOUT)  # when it was last used
        return found

    def add(self, segment: Segment) -> Segment:
        """Write a segment; where the disk takes no more, keep it in memory, and say so."""
        if not self._unwritten:
            try:
                self.make_room(segment.features.nbytes)
                path = self.folder / segment.file_name
                segment.write(path, self.key)
                return self._open(path) or segment
            except FtcoreError as error:
                reason = str(error).partition(". No half-written")[0]
                self.observer.note(f"{reason}; the features are kept in memory instead")
        self._unwritten.append(segment)
        return segment

    def _open(self, path: Path) -> Segment | None:
        if path not in self._opened:
            try:
                self._opened[path] = Segment.open(path, self.key)
            except FileNotFoundError:  # another process made room
                return None
            except DataError as error:
                reason = str(error).partition("; ")[0]
                self.observer.note(f"{reason}; it is deleted, its features are computed again")
                path.unlink(missing_ok=True)
                return None
        return self._opened[path]

    def discard(self) -> None:
        """Delete all segment files."""
        self._opened.clear()
        for path in self.folder.glob("*.safetensors"):
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Wait until no other process adds features; StoppedError where the observer stops."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not (self.folder / ABOUT).exists():
                write_json(self.folder / ABOUT, self.about)
        except (OSError, FtcoreError) as error:
            self.observer.note(f"{self.folder} cannot be written to: {error}")
            yield
            return
        with holding(self.folder / LOCK, self._wait):
            self.folder.mkdir(parents=True, exist_ok=True)  # another may have made room meanwhile
            remove_leftovers(self.folder)
            yield

    def _wait(self, waited: float) -> None:
        if waited == 0.0:
            self.observer.note("another run computes the same features; waiting for it")
        if self.observer.should_stop():
            raise StoppedError("Stopped while another run computed the same features")
        time.sleep(0.1)
