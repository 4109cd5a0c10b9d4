"""What a command left that has ended."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Finished:
    """A run, a study or a sweep on digits: its folder, and its record."""

    folder: Path
    record: dict[str, Any]
