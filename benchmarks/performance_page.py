"""Writes docs/performance.md and its chart from benchmarks/results/; --check compares."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import finetune_page, frozen_page, resample_page
from benchmarks.tables import RESULTS, ROOT, load, machine, settle, table

PAGE = ROOT / "docs" / "performance.md"
PEERS = ("torch eager", "torch.compile", "cross_entropy", "torchmetrics", "torcheval")
FINETUNE, ACCURACY = "finetune.json", "finetune_accuracy.json"

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
Makefile).
"""

COLD = """\

With glibc's defaults instead, most of the peers' time with many classes is page faults, which
flatters the kernel; these are the same ratios then:
"""

LIMITS = """\

What holds it back, by experiment on one core: from 1,000 classes on, the exponentials and three
sums of them (9 cycles for 16 logits in a loop of nothing else, 12 to 13 beside the scan of the next
row) rather than memory; up to some hundred classes, what every row costs whatever its length, some
250 cycles; with few classes, the exponentials, sums and comparisons (13 cycles for 16 logits, of
which 11 keep the same two units busy), the scan (3), bringing 16 rows side by side (7, in images
none), and what a row costs once, counting it, a logarithm and a division: 10 cycles.
"""

LINEAR = """\

## Statistics of a linear classifier

`linear_classification_statistics_` beside the bare product `features @ weight.T`, which holds all
logits: 31 MiB and 1,000 MiB in float32. Its own extra memory is the growth of the resident set.
"""

COLUMNS = """\

## Statistics of regressions and of many labels

How many times as long the others take as `regression_statistics_` and `multilabel_statistics_`,
with one thread. "torch eager" computes the same sums, and for labels histograms of the same size;
torchmetrics computes MSE, MAE, R² and Pearson's correlation, or F1 and exact match alone.
"""

LOSS = """\

## Why there is no fused loss for training

A loss that never holds the logits saves memory, and what time is not spent in matrix products. The
last columns say how much that is: the most that such a kernel could save of `cross_entropy` of a
linear layer, forward and backward, if all the rest took no time at all. A loop over chunks of rows,
which gives the products a part of their speed back, ate up what was left. So there is none.
"""

EVALUATE = """\

## Evaluating stored logits

`ftcore evaluate --logits` of {classes:,} classes in float32, each time in a process of its own,
best of {rounds} rounds. Scoring reads and scores the file; reading is the same without scoring;
the whole includes start-up and the intervals of all default metrics. `import torch` alone takes
{start:.1f} s and {import_mib:.0f} MiB.
"""

SHARE = """\

Evaluation is a small part of a run: of `{command}` ({total:.1f} s, of which
{features:.1f} s compute the frozen features), scoring the validation part after each epoch took
{validation:.2f} %, scoring the test part {test:.2f} %, and the intervals {intervals:.2f} %.
"""

GPU = """\

## GPU

Not yet run on a GPU. The CUDA kernels compile for sm_80 and sm_90 without a warning or a spilled
register, and their logic is tested on the CPU, thread by thread, against the same oracle.
`benchmarks/gpu.sh` builds, tests and measures them on a machine that has one.
"""


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


def cold_rows(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        times = row["median_ms"]
        ratios = (
            f"{times[peer] / times['ftcore native']:.1f}" if peer in times else "" for peer in PEERS
        )
        yield str(tuple(row["shape"])), *ratios


def column_rows(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        times = row["median_ms"]
        ours = times["ftcore native"]
        ratios = (f"{times[peer] / ours:.1f}" for peer in ("torch eager", "torchmetrics"))
        yield row["op"], str(tuple(row["shape"])), *ratios, f"{ours:.2f}"


def loss_rows(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        times, saved = row["median_ms"], (row["most_saved"], row["most_saved_of_a_head"])
        loss = (f"{times[name]:.1f}" for name in ("loss", "its products"))
        yield str(tuple(row["size"])), *loss, *(f"{100 * share:.0f} %" for share in saved)


def evaluate_rows(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        for cache in ("warm", "cold"):
            taken = row[cache]
            best = taken["best"]
            yield (
                f"{row['rows']:,}",
                cache,
                f"{best['scoring_s']:.2f}",
                f"{taken['best_reading_s']:.2f}",
                f"{row['bytes'] / 1e9 / best['scoring_s']:.1f}",
                f"{best['wall_s']:.1f}",
                f"{taken['peak_mib']:.0f}",
            )


def statistics_section() -> Iterator[str]:
    warm, cold = load("statistics.json"), load("statistics_cold.json")
    head = ("logits", "type", "threads", *PEERS, "over one read", "10⁹ logits/s")
    yield from (HEAD, machine(warm), "\n", table(head, statistics_rows(warm["rows"])))
    yield from (COLD, "\n", table(("logits", *PEERS), cold_rows(cold["rows"])), LIMITS)


def linear_section() -> Iterator[str]:
    head = (
        "rows, features, classes",
        "type",
        "threads",
        "over the product, median",
        "over the product, best",
        "linear + torch eager over ours",
        "extra MiB",
    )
    yield from (LINEAR, "\n", table(head, linear_rows(load("linear_statistics.json")["rows"])))


def columns_section() -> Iterator[str]:
    head = ("op", "shape", "torch eager", "torchmetrics", "ours, ms")
    yield from (COLUMNS, "\n", table(head, column_rows(load("column_statistics.json")["rows"])))


def loss_section() -> Iterator[str]:
    head = (
        "rows, features, classes",
        "cross_entropy, ms",
        "its products, ms",
        "most to save",
        "most to save with frozen features",
    )
    yield from (LOSS, "\n", table(head, loss_rows(load("linear_loss.json")["rows"])))


def evaluate_section() -> Iterator[str]:
    content = load("evaluate.json")
    head = ("rows", "cache", "scoring, s", "reading, s", "GB/s", "whole, s", "peak MiB")
    imported, run = content["import_torch"], content["run"]
    yield EVALUATE.format(
        classes=content["rows"][0]["classes"],
        rounds=content["rounds"],
        start=imported["wall_s"],
        import_mib=imported["peak_mib"],
    )
    yield from ("\n", table(head, evaluate_rows(content["rows"])))
    seconds = run["timings"]
    total = sum(seconds.values())
    shares = {name: 100 * seconds[name] / total for name in ("validation", "test", "intervals")}
    yield SHARE.format(
        command=run["command"], total=total, features=seconds["frozen features"], **shares
    )


def finetune_section() -> Iterator[str]:
    """Nothing, where it was not measured yet."""
    if (RESULTS / FINETUNE).is_file():
        accuracy = load(ACCURACY) if (RESULTS / ACCURACY).is_file() else None
        yield from finetune_page.section(load(FINETUNE), accuracy)


def page() -> str:
    sections = (
        statistics_section,
        linear_section,
        columns_section,
        loss_section,
        evaluate_section,
        resample_page.section,
        frozen_page.sections,
        finetune_section,
    )
    return "".join("".join(section()) for section in sections) + GPU


def files() -> dict[Path, str]:
    """Return what is made from the results."""
    made = {PAGE: page()}
    if (RESULTS / FINETUNE).is_file():
        made[PAGE.parent / finetune_page.CHART] = finetune_page.chart(load(FINETUNE))
    return made


if __name__ == "__main__":
    sys.exit(settle(files(), is_check="--check" in sys.argv[1:]))
