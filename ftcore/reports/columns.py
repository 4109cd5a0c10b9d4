"""Tables for a terminal: columns that do not fit go into a further table below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GAP = "  "


@dataclass(frozen=True)
class Column:
    """A heading and a cell for each row; numbers stand to the right."""

    heading: str
    cells: Sequence[str]
    is_left: bool = False

    @property
    def width(self) -> int:
        """The characters of its widest cell."""
        return max(len(text) for text in (self.heading, *self.cells))

    def lines(self) -> list[str]:
        """Return the heading and the cells, all of one width."""
        texts = (self.heading, *self.cells)
        return [
            f"{text:<{self.width}}" if self.is_left else f"{text:>{self.width}}" for text in texts
        ]


def fold(columns: Sequence[Column], width: int) -> list[str]:
    """Return the lines of a table, the first column repeated wherever a new table has to begin.

    A table is wider than `width` only where the first column and one other are.
    """
    first, *others = columns
    tables: list[list[Column]] = [[]]
    room = width - first.width
    for column in others:
        need = len(GAP) + column.width
        if need > room and tables[-1]:
            tables.append([])
            room = width - first.width
        tables[-1].append(column)
        room -= need
    lines: list[str] = []
    for table in tables:
        rows = zip(first.lines(), *(column.lines() for column in table), strict=True)
        lines += [""] * bool(lines)
        lines += [GAP.join(row).rstrip() for row in rows]
    return lines
