"""The folder of all kept features, and how large it may grow.

A folder for each fixed function, named by the hash of all that decides its outputs, with what that
is in about.json, and sealed segment files. Whoever adds segments holds the folder's lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from ftcore.engine.features.shelf import ABOUT, LOCK, DiskShelf
from ftcore.engine.locking import holding
from ftcore.engine.observer import Observer
from ftcore.errors import ConfigError

FORMAT = 1
LIMIT = "10GB"

_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


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
        key = key_of(about)
        return DiskShelf(self.folder / key, about, partial(self.make_room, keep=key), observer)

    def free(self) -> int:
        """Return the bytes that the disk has left for it."""
        folder = self.folder
        while not folder.exists():
            folder = folder.parent
        return shutil.disk_usage(folder).free

    def entries(self) -> list[Entry]:
        """Return what is kept, the last used first."""
        found = []
        for about in self.folder.glob(f"*/{ABOUT}"):
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
            with holding(folder / LOCK, _refuse):
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
