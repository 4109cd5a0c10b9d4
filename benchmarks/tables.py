"""Results as Markdown: their files, tables, and a line on the machine."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
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
