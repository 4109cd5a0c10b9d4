"""Fills the tables of docs/statistics.md from coverage.json; --check compares."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.tables import ROOT, load, machine, settle, table

_Group: TypeAlias = list[tuple[str, dict[str, dict[str, Any]]]]

PAGE = ROOT / "docs" / "statistics.md"
RESULTS = "coverage.json"
ASKED = {"held": (0.93, 0.97), "rejected": (0.035, 0.065)}  # what is outside is in bold
_TABLE = re.compile(r"<!-- (held|rejected): (\w+) -->\n.*?<!-- end of table -->\n", re.DOTALL)
_MACHINE = re.compile(r"<!-- machine -->\n.*?<!-- end of machine -->\n", re.DOTALL)


def filled(text: str, content: dict[str, Any]) -> str:
    """Return the page with what stands between its marks made anew."""

    def tables_of(mark: re.Match[str]) -> str:
        share, part = mark.group(1), mark.group(2)
        rows = [row for row in content["rows"] if row["part"] == part and share in row]
        tables = "\n".join(_pivot(group, share) for group in _groups(rows))
        return f"<!-- {share}: {part} -->\n{tables}<!-- end of table -->\n"

    line = machine(content).replace("rounds", "simulations of each setting").lstrip()
    text = _MACHINE.sub(f"<!-- machine -->\n{line}<!-- end of machine -->\n", text)
    return _TABLE.sub(tables_of, text)


def _groups(rows: list[dict[str, Any]]) -> list[_Group]:
    """Return rows, those of one setting together, by what was measured in it.

    Settings that have any of it in common go together, which makes a table of each group.
    """
    groups: list[_Group] = []
    for setting, of_setting in groupby(rows, key=itemgetter("setting")):
        found = {row["what"]: row for row in of_setting}
        for group in groups:
            if any(found.keys() & others.keys() for _, others in group):
                group.append((setting, found))
                break
        else:
            groups.append([(setting, found)])
    return groups


def _pivot(group: _Group, share: str) -> str:
    columns = list(dict.fromkeys(what for _, found in group for what in found))

    def lines() -> Iterator[tuple[str, ...]]:
        for setting, found in group:
            cells = (_cell(found[what], share) if what in found else "" for what in columns)
            yield setting, *cells

    return table(("setting", *columns), lines())


def _cell(row: dict[str, Any], share: str) -> str:
    low, high = ASKED[share]
    text = f"{100 * row[share]:.1f}"
    if not low <= round(row[share], 3) <= high:
        text = f"**{text}**"
    return f"{text} ({row['without']} without)" if row.get("without") else text


def files() -> dict[Path, str]:
    """Return the page as it should be."""
    return {PAGE: filled(PAGE.read_text(encoding="utf-8"), load(RESULTS))}


if __name__ == "__main__":
    sys.exit(settle(files(), is_check="--check" in sys.argv[1:]))
