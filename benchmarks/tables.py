"""Results as Markdown: their files, tables, a line on the machine, and the pages they are on."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((RESULTS / name).read_text(encoding="utf-8"))
    return content


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def machine(content: dict[str, Any]) -> str:
    host = content["host"]
    versions = ", ".join(f"{name} {version}" for name, version in host["versions"].items())
    return f"\nOn {host['cpus']} cores of {host['cpu']}; {versions}; {content['rounds']} rounds.\n"


def fill(page: Path, start: str, end: str, text: str) -> None:
    """Put a text between two marks of a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(start)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{start}\n{text}{end}{after}", encoding="utf-8")


def settle(pages: Mapping[Path, str], *, is_check: bool) -> int:
    """Write the pages that are not as they should be, or name them; return the exit status."""
    stale = {
        path: text
        for path, text in pages.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    }
    for path, text in stale.items():
        if is_check:
            print(f"{path.relative_to(ROOT)} is not current; type: make docs", file=sys.stderr)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return 1 if is_check and stale else 0
