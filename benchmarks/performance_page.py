"""Writes docs/performance.md from benchmarks/results/: `make bench`, or --check to compare."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "performance.md"
PEERS = ("torch eager", "torch.compile", "cross_entropy", "torchmetrics", "torcheval")

HEAD = """\
# Performance

Made from `benchmarks/results/` by `make bench`; changes made here are lost. Every figure is a ratio
within one process, where all contestants take turns, so that a slower machine or a neighbour
changes it little. CPU time with one thread, wall clock with two; medians. Random logits.

## Statistics of given logits

How many times as long the others take as one pass of `classification_statistics_`. "torch eager"
and "torch.compile" compute the same statistics, `cross_entropy` computes the loss alone,
torchmetrics and torcheval a part of them. The last columns: the time over that of reading the
logits once (`torch.sum` of the same bytes as int64), and 10⁹ logits a second.

The peers' large temporaries are recycled here: glibc is told to keep what is freed (`WARM` in the
Makefile). With its defaults most of the peers' time with many classes is page faults, which would
flatter the kernel.
"""

LINEAR = """\

## Statistics of a linear classifier

`linear_classification_statistics_` beside the bare product `features @ weight.T`, which holds all
logits: 31 MiB and 1,000 MiB in float32. Its own extra memory is the growth of the resident set.
"""

GPU = """\

## GPU

Nothing here has run on a GPU yet: there the pure-torch reference computes the statistics.
"""


def load(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((RESULTS / name).read_text(encoding="utf-8"))
    return content


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def shape_of(row: dict[str, Any], key: str) -> tuple[str, str, str]:
    return str(tuple(row[key])), row["dtype"], str(row["threads"])


def statistics_rows(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        times = row["median_ms"]
        ours, count = times["ftcore native"], 1
        for size in row["shape"]:
            count *= size
        ratios = (f"{times[peer] / ours:.1f}" if peer in times else "" for peer in PEERS)
        rate = count / ours / 1e6
        yield *shape_of(row, "shape"), *ratios, f"{ours / times['one read']:.2f}", f"{rate:.2f}"


def linear_rows(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        times = row["median_ms"]
        yield (
            *shape_of(row, "size"),
            f"{row['over_product_median']:.2f}",
            f"{row['over_product_best']:.2f}",
            f"{times['linear + torch eager'] / times['ftcore native']:.1f}",
            f"{row['extra_mib']:.1f}",
        )


def machine(content: dict[str, Any]) -> str:
    host = content["host"]
    versions = ", ".join(f"{name} {version}" for name, version in host["versions"].items())
    return f"\nOn {host['cpus']} cores of {host['cpu']}; {versions}; {content['rounds']} rounds.\n"


def page() -> str:
    statistics, linear = load("statistics.json"), load("linear_statistics.json")
    return "".join(
        [
            HEAD,
            machine(statistics),
            "\n",
            table(
                ("logits", "type", "threads", *PEERS, "over one read", "10⁹ logits/s"),
                statistics_rows(statistics["rows"]),
            ),
            LINEAR,
            "\n",
            table(
                (
                    "rows, features, classes",
                    "type",
                    "threads",
                    "over the product, median",
                    "over the product, best",
                    "linear + torch eager over ours",
                    "extra MiB",
                ),
                linear_rows(linear["rows"]),
            ),
            GPU,
        ]
    )


def main() -> int:
    text = page()
    if "--check" in sys.argv[1:]:
        is_current = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text
        if not is_current:
            print(f"{PAGE.relative_to(ROOT)} is not current; type: make docs", file=sys.stderr)
        return 0 if is_current else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
