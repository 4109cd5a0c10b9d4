"""Labels and texts, and tables, as plain lines that fit a width."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

NARROW = 50


def lay_out(title: str, rows: Sequence[tuple[str, str]], width: int) -> list[str]:
    """Return the title and a row for each label and text, wrapped to `width` columns."""
    column = max((len(label) for label, _ in rows), default=0) + 2
    lines = textwrap.wrap(title, width)
    for label, text in rows:
        lines += _wrap(label, text, column, width)
    return lines


def lay_out_table(rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """Return the rows in columns, the first row being their names.

    Where they do not fit side by side each row is a list of names and values.
    """
    widths = _widths(rows)
    if fits(rows, width):
        return [
            "  ".join(f"{cell:<{size}}" for cell, size in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
    lines = []
    for row in rows[1:]:
        lines.append(row[0])
        named = zip(rows[0][1:], row[1:], strict=True)
        text = ", ".join(f"{name} {cell}".strip() for name, cell in named if cell)
        lines += textwrap.wrap(text, max(width, 20), initial_indent="  ", subsequent_indent="  ")
    return lines


def fits(rows: Sequence[Sequence[str]], width: int) -> bool:
    """Tell whether the rows fit side by side."""
    widths = _widths(rows)
    return sum(widths) + 2 * (len(widths) - 1) <= width


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]


def _wrap(label: str, text: str, column: int, width: int) -> list[str]:
    first, rest = f"{label:<{column}}", " " * column
    is_narrow = width < NARROW or column > width // 3
    if is_narrow:  # the label on a line of its own, where two columns would be too thin
        first, rest = "  ", "  "
    lines = textwrap.wrap(
        text,
        max(width, 20),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [label, *lines] if is_narrow and label else lines
