"""Simulates, and writes how often intervals held the truth and tests rejected it.

OMP_NUM_THREADS=1 python -m benchmarks.coverage
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.coverage import differences, families, folds, metrics, seeds
from benchmarks.measurement import host
from benchmarks.tables import RESULTS

PARTS = {part.PART: part.rows for part in (metrics, differences, seeds, folds, families)}
PACKAGES = ("torch", "numpy", "scipy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=RESULTS / "coverage.json")
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--only", choices=PARTS, action="append", help="keep other parts' rows")
    options = parser.parse_args()
    torch.set_num_threads(1)
    kept = json.loads(options.out.read_text(encoding="utf-8")) if options.only else {"rows": []}
    rows: list[dict[str, Any]] = []
    seconds: dict[str, float] = dict(kept.get("seconds", {}))
    for name, simulate in PARTS.items():
        if options.only and name not in options.only:
            rows += [row for row in kept["rows"] if row["part"] == name]
            continue
        start = time.perf_counter()
        for row in simulate(options.simulations):
            share = row.get("held", row.get("rejected"))
            print(f"{name}: {row['what']}, {row['setting']}: {share:.3f}", flush=True)
            rows.append(row)
        seconds[name] = round(time.perf_counter() - start, 1)
    content = {"host": host(PACKAGES), "rounds": options.simulations, "seconds": seconds}
    text = json.dumps({**content, "rows": rows}, indent=1, default=float)
    options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
