"""The part of docs/performance.md on bootstrap replicates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.tables import load, machine, table

RESAMPLE = """\

## Bootstrap of an AUROC

{replicates:,} replicates of {examples:,} examples, percentile interval. How many times as long the
others take as ftcore with one thread, by the CPU's clock, medians of processes of their own; memory
is what the peak of the process grows by, beside the scores. "ftcore in NumPy" is what an
installation without a compiler uses, "weights in torch" the general way through the engine. SciPy
is `scipy.stats.bootstrap`, vectorized, with its default batch of all replicates and with the one
that was fastest here: with ranks (`rankdata`), with sorting alone, which these scores allow because
none tie, and with a statistic that counts places of scores sorted beforehand, which is what ftcore
does, in NumPy.
"""


def section() -> Iterator[str]:
    """Yield the Markdown."""
    content = load("resample.json")
    rows = content["rows"]
    yield RESAMPLE.format(**rows[0])
    head = ("", "times as long", "CPU time, s", "extra memory, MiB", "interval")
    yield from (machine(content), "\n", table(head, _rows(rows)))
    one, two = rows[:2]
    yield (
        f"\nTwo threads give the same numbers as one, and took {two['wall_s']:.2f} s by the wall's "
        f"clock where one took {one['wall_s']:.2f} s, beside other work on both cores.\n"
    )


def _rows(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    ours = rows[0]["cpu_s"]
    for row in rows:
        if row["threads"] == 1:
            low, high = row["interval"]
            yield (
                row["contestant"],
                f"{row['cpu_s'] / ours:.1f}",
                f"{row['cpu_s']:.2f}",
                f"{row['extra_mib']:,.1f}",
                f"{low:.4f} to {high:.4f}",
            )
