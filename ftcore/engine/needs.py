"""What several metrics need of the statistics together."""

from __future__ import annotations

from collections.abc import Iterable

from ftcore.interfaces import Metric


def needs_of(metrics: Iterable[Metric]) -> list[str]:
    """Return the names of all fields and rows that the metrics read, each once, in order."""
    return sorted({name for metric in metrics for name in metric.needs})
