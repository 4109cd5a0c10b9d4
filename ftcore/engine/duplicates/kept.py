"""What a search for near copies found, kept beside the sketches that it compared."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftcore.engine.duplicates.near import Pair
from ftcore.engine.storage import write_json
from ftcore.errors import FtcoreError


@dataclass(frozen=True)
class Found:
    """The near copies among examples in a certain order, and in words how they were looked for.

    None, and why, where they were not.
    """

    pairs: Sequence[Pair] | None
    how: str


def find_once(folder: Path | None, about: Any, search: Callable[[], Found]) -> Found:
    """Return what `search` found before for the same `about`, JSON values, or let it search.

    Nothing is kept without a folder, or where it cannot be written to.
    """
    if folder is None:
        return search()
    key = hashlib.sha256(json.dumps(about).encode()).hexdigest()
    path = folder / f"copies-{key[:24]}.json"
    kept = _read(path, key)
    if kept is not None:
        return kept
    found = search()
    rows = [[pair.one, pair.other, pair.likeness] for pair in found.pairs or ()]
    content = [found.how, rows]
    with contextlib.suppress(FtcoreError, OSError):
        write_json(path, {"key": key, "seal": _seal(content), "content": content})
    return found


def _read(path: Path, key: str) -> Found | None:
    """Return what a file holds; None where there is none, or it is damaged."""
    try:
        values = json.loads(path.read_bytes())
        content = values["content"]
        if (values["key"], values["seal"]) != (key, _seal(content)):
            return None
        return Found([Pair(*row) for row in content[1]], content[0])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _seal(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
