"""The table of scores on corrupted inputs."""

from __future__ import annotations

from collections.abc import Sequence

from ftcore.record import CorruptionsRecord, MetricValue

_CELL = 7  # columns, of which two are blank


def tabulate_corruptions(record: CorruptionsRecord, width: int = 80) -> list[str]:
    """Return a table, a line a corruption: its first metric by severity, and the mean.

    Where not all severities fit into `width` columns, there are the lowest and the highest.
    """
    name = record.metric
    column = max(len(name), *(len(each.name) for each in record.corruptions))
    levels = record.levels
    if column + _CELL * (len(levels) + 1) > width:
        levels = tuple(dict.fromkeys((levels[0], levels[-1])))
    lines = [_line(name, [*map(str, levels), "mean"], column)]
    for each in record.corruptions:
        scores = {cell.severity: cell.metrics[name] for cell in each.severities}
        cells = [*(scores[level] for level in levels), each.mean[name]]
        lines.append(_line(each.name, [_short(cell) for cell in cells], column))
    return lines


def _line(label: str, cells: Sequence[str], column: int) -> str:
    return f"{label:<{column}}" + "".join(f"{cell:>{_CELL}}" for cell in cells)


def _short(metric: MetricValue) -> str:
    return "-" if metric.value is None else f"{metric.value:.3f}"
