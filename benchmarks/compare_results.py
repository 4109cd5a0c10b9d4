"""Shows how results changed: `python -m benchmarks.compare_results OLD.json NEW.json`.

Each time is taken relative to torch eager in the same run, so that the machine's speed cancels.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BASE = "torch eager"


def relative(path: Path) -> dict[tuple[Any, ...], dict[str, float]]:
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return {
        (tuple(row["shape"]), row["dtype"], row["threads"]): {
            name: value / row["median_ms"][BASE] for name, value in row["median_ms"].items()
        }
        for row in rows
    }


def changes(old: Path, new: Path) -> Iterator[str]:
    before, after = relative(old), relative(new)
    for case in before.keys() & after.keys():
        for name in before[case].keys() & after[case].keys() - {BASE}:
            ratio = after[case][name] / before[case][name]
            yield f"{case[0]!s:22} {case[1]:9} {case[2]} {name:18} {ratio:6.2f} times as long"


def main() -> int:
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    print("\n".join(sorted(changes(Path(sys.argv[1]), Path(sys.argv[2])))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
