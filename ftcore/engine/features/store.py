"""Where features are kept: in memory, or in files that later and concurrent runs share.

A folder for each fixed function, named by the hash of all that decides its outputs, with what that
is in about.json, and sealed segment files. Whoever adds segments holds the folder's lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from platformdirs import user_cache_path

from ftcore.engine.features.segment import Segment
from ftcore.engine.locking import holding
from ftcore.engine.observer import Observer
from ftcore.engine.storage import remove_leftovers, write_json
from ftcore.errors import ConfigError, DataError, FtcoreError, StoppedError

FORMAT = 1
LIMIT = "10GB"

_ABOUT = "about.json"
_LOCK = "lock"
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


class Shelf(Protocol):
    """The kept features of one fixed function."""

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
    """Features in the files of a folder."""

    store: FeatureStore
    key: str
    about: Mapping[str, Any]
    observer: Observer

    def __post_init__(self) -> None:
        self.folder = self.store.folder / self.key
        self._opened: dict[Path, Segment] = {}  # which have been verified
        self._unwritten: list[Segment] = []

    def find(self, names: Collection[str]) -> list[Segment]:
        """Return the segments that hold any of `names`; a damaged file is deleted, and said so."""
        wanted = set(names)
        found = [each for each in self._unwritten if not wanted.isdisjoint(each.names)]
        for path in sorted(self.folder.glob("*.safetensors")):
            segment = self._open(path)
            if segment is not None and not wanted.isdisjoint(segment.names):
                found.append(segment)
        if found and self.folder.is_dir():
            os.utime(self.folder / _ABOUT)  # when it was last used
        return found

    def add(self, segment: Segment) -> Segment:
        """Write a segment; where the disk takes no more, keep it in memory, and say so."""
        if not self._unwritten:
            try:
                self.store.make_room(segment.features.nbytes, self.key)
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
            if not (self.folder / _ABOUT).exists():
                write_json(self.folder / _ABOUT, self.about)
        except (OSError, FtcoreError) as error:
            self.observer.note(f"{self.folder} cannot be written to: {error}")
            yield
            return
        with holding(self.folder / _LOCK, self._wait):
            self.folder.mkdir(parents=True, exist_ok=True)  # another may have made room meanwhile
            remove_leftovers(self.folder)
            yield

    def _wait(self, waited: float) -> None:
        if waited == 0.0:
            self.observer.note("another run computes the same features; waiting for it")
        if self.observer.should_stop():
            raise StoppedError("Stopped while another run computed the same features")
        time.sleep(0.1)


@dataclass(frozen=True)
class Entry:
    """What `ftcore cache list` shows of a fixed function's features."""

    key: str
    about: Mapping[str, Any]
    segments: int
    bytes: int
    used: float  # seconds since the epoch

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "key": self.key,
            "segments": self.segments,
            "bytes": self.bytes,
            "last_used": self.used,
            "about": dict(self.about),
        }


@dataclass(frozen=True)
class FeatureStore:
    """The folder of all kept features, and how large it may grow in bytes."""

    folder: Path
    limit: int

    @classmethod
    def from_environment(cls) -> FeatureStore:
        """Return the store that FTCORE_CACHE_DIR and FTCORE_CACHE_LIMIT name."""
        given = os.environ.get("FTCORE_CACHE_DIR")
        folder = Path(given) if given else user_cache_path("ftcore")
        return cls(folder / "features", parse_size(os.environ.get("FTCORE_CACHE_LIMIT") or LIMIT))

    def shelf(self, about: Mapping[str, Any], observer: Observer) -> DiskShelf:
        """Return the place for the features of the function that `about` describes."""
        return DiskShelf(self, key_of(about), about, observer)

    def free(self) -> int:
        """Return the bytes that the disk has left for it."""
        folder = self.folder
        while not folder.exists():
            folder = folder.parent
        return shutil.disk_usage(folder).free

    def entries(self) -> list[Entry]:
        """Return what is kept, the last used first."""
        found = []
        for about in self.folder.glob(f"*/{_ABOUT}"):
            try:
                sizes = [path.stat().st_size for path in about.parent.glob("*.safetensors")]
                values = json.loads(about.read_bytes())
                used = about.stat().st_mtime
            except (OSError, ValueError):  # deleted or written at this moment
                continue
            found.append(Entry(about.parent.name, values, len(sizes), sum(sizes), used))
        return sorted(found, key=lambda entry: entry.used, reverse=True)

    def make_room(self, size: int, keep: str) -> None:
        """Delete what was used longest ago until `size` more bytes are within the limit."""
        entries = self.entries()
        total = sum(entry.bytes for entry in entries)
        for entry in reversed(entries):
            if total + size <= self.limit:
                return
            if entry.key != keep and self.remove(entry.key):
                total -= entry.bytes

    def remove(self, key: str) -> bool:
        """Delete the features of a function, unless a run adds to them now; return whether."""
        folder = self.folder / key
        with contextlib.suppress(_TakenError, FileNotFoundError):
            with holding(folder / _LOCK, _refuse):
                shutil.rmtree(folder, ignore_errors=True)
            return True
        return False


def key_of(about: Mapping[str, Any]) -> str:
    """Return the key of a function: the hash of all that decides its outputs."""
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:32]


def parse_size(text: str) -> int:
    """Return the bytes that a size such as "500MB" or "20GB" means; ConfigError for others."""
    cleaned = text.strip().upper().replace(" ", "")
    number, unit = (cleaned[:-2], cleaned[-2:]) if cleaned[-2:] in _UNITS else (cleaned, "")
    try:
        size = int(float(number) * _UNITS.get(unit, 1))
    except (ValueError, OverflowError):
        size = -1
    if size < 0:
        raise ConfigError(
            f"FTCORE_CACHE_LIMIT is {text!r}; it is a number of bytes, or as in 500MB or 20GB"
        )
    return size


class _TakenError(Exception):
    """Another process holds the lock."""


def _refuse(waited: float) -> None:
    raise _TakenError
