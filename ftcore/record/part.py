"""What all parts of a record have in common."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Values that never change; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def format_bytes(count: int) -> str:
    """Return a number of bytes as people write it."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def finite_or_none(value: float) -> float | None:
    """Return the value, or None, which is what a record says of one that is not finite."""
    return value if math.isfinite(value) else None
