"""The parts of docs/performance.md on what is computed once: the prefix, features, and heads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.tables import load, machine, table

PREFIX = """\

## The frozen prefix

Images a second of ResNet-18 without its head at {size} pixels, at random weights, which cost the
same. "plain" calls the stages as they are; "folded, a batch a thread" is what a run does. One
thread by the CPU's clock, medians, while the machine had other work; two by the wall's. "ready" is
the time from the stages to their first output. Compiled stages are {fp32:.2f} times as fast in fp32
and {bf16:.2f} times in bf16 as what a run does.
"""

FAMILIES = """\

Other backbones, one thread, fp32, images a second:
"""

FEATURES = """\

## Features as examples grow

A run of one epoch with the bottom of ResNet-18 frozen, on made-up images of {pixels} pixels;
"again" is the same run, which finds the features. Memory is what the peak of the process grows by.
"""

HEADS = """\

## Many heads

Linear heads on {rows:,} rows of {features} features, trained together and one after the other: by a
lean loop (autograd, AdamW, batches by index_select), by the same loop over a TensorDataset and a
DataLoader, and by the loop of `ftcore run`. One thread, CPU time, medians. Heads come in folds ×
seeds × learning rates; those that share fold and seed share their batches and one product. Where
fewer were trained one after the other, their time is scaled up, which the column says.
"""


def sections() -> Iterator[str]:
    """Yield the Markdown of the three."""
    yield from prefix_section()
    yield from features_section()
    yield from heads_section()


def prefix_section() -> Iterator[str]:
    one, two = load("prefix.json"), load("prefix_two_threads.json")
    chosen = [row for row in one["rows"] if row.get("chosen")]
    pairs = {row["way"]: row for row in two["rows"] if "way" in row}
    gains = {
        kind: pairs[f"compiled {kind}"]["images_per_s"]
        / pairs[f"folded {kind}, a batch a thread"]["images_per_s"]
        for kind in ("fp32", "bf16")
    }
    yield PREFIX.format(size=chosen[0]["size"], **gains)
    head = ("way", "one thread", "two threads", "difference", "ready, s")
    yield from (machine(two), "\n", table(head, _prefix_rows(chosen, pairs)))
    families = _family_rows(load("prefix_families.json")["rows"])
    yield from (FAMILIES, "\n", table(("backbone", "plain", "folded"), families))


def _prefix_rows(
    chosen: list[dict[str, Any]], pairs: dict[str, dict[str, Any]]
) -> Iterator[tuple[str, ...]]:
    single = {row["way"]: row for row in chosen}
    for way, row in pairs.items():
        alone = single.get(way)
        yield (
            way,
            "" if alone is None else f"{alone['images_per_s']:.1f}",
            f"{row['images_per_s']:.1f}",
            f"{row['difference']:.1g}",
            f"{row['ready_s']:.1f}",
        )


def _family_rows(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    speeds: dict[str, dict[str, float]] = {}
    for row in rows:
        if row.get("chosen") and row["threads"] == 1:
            speeds.setdefault(row["backbone"], {})[row["way"]] = row["images_per_s"]
    for name, found in speeds.items():
        yield name, f"{found['plain fp32']:.1f}", f"{found['folded fp32']:.1f}"


def features_section() -> Iterator[str]:
    content = load("features.json")
    yield FEATURES.format(pixels=content["rows"][0]["pixels"])
    content["rounds"] = 1
    head = ("images", "images/s", "run, s", "again, s", "features, MiB", "extra memory, MiB")
    rows = (
        (
            f"{row['images']:,}",
            f"{row['images_per_s']:,.0f}",
            f"{row['run_s']:.1f}",
            f"{row['run_again_s']:.1f}",
            f"{row['features_mib']:.1f}",
            f"{row['extra_memory_mib']:.0f}",
        )
        for row in content["rows"]
    )
    yield from (machine(content), "\n", table(head, rows))


def heads_section() -> Iterator[str]:
    content = load("heads.json")
    yield HEADS.format(**content["rows"][0])
    head = (
        "heads",
        "classes",
        "epochs",
        "together, s",
        "lean loop",
        "DataLoader",
        "ftcore run",
        "measured alone",
        "extra memory, MiB",
        "weights, MiB",
    )
    yield from (machine(content), "\n", table(head, _head_rows(content["rows"])))


def _head_rows(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        slower = row["times_faster"]
        yield (
            f"{row['heads']:,} ({' × '.join(map(str, row['folds, seeds, rates']))})",
            f"{row['classes']:,}",
            str(row["epochs"]),
            f"{row['median_s']['together']:.2f}",
            f"{slower['one by one']:.1f} ×",
            f"{slower['one by one, DataLoader']:.1f} ×",
            f"{slower['one by one, ftcore run']:.1f} ×",
            str(row["measured_one_by_one"]),
            f"{row['extra_mib']:.1f}",
            f"{row['weights_mib']:.1f}",
        )
