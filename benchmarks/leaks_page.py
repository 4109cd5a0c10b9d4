"""Write the tables of copies in docs/results.md from benchmarks/results/leaks.json.

python -m benchmarks.leaks_page
"""

from __future__ import annotations

from typing import Any

from benchmarks.tables import ROOT, fill, load, table
from ftcore.images.likeness import ImageLikeness

RATIO = ImageLikeness.ratio
PAGE = ROOT / "docs" / "results.md"
START, END = "<!-- tables of leaks.json -->", "<!-- end of leaks.json -->"


def main() -> None:
    content = load("leaks.json")
    fill(PAGE, START, END, f"\n{tables(content)}\n")


def tables(content: dict[str, Any]) -> str:
    rows = {(r["dataset"], r["kind"], r["by"], r["ratio"]): r for r in content["planted"]}
    datasets = list(dict.fromkeys(row["dataset"] for row in content["planted"]))
    kinds = dict.fromkeys(row["kind"] for row in content["planted"])
    ratios = dict.fromkeys(row["ratio"] for row in content["planted"] if row["ratio"])
    head = ["planted", *datasets]
    body = [
        [kind, *(_cell(rows[dataset, kind, "likeness", RATIO]) for dataset in datasets)]
        for kind in kinds
    ]
    exact = "stored anew, lossless"
    found = [_cell(rows[dataset, exact, "content", None]) for dataset in datasets]
    body.insert(0, [f"{exact}, as exact copies", *found])
    text = "Recall / precision by the likeness of images, as `ftcore data check` looks:\n\n"
    text += table(head, body)
    ways = dict.fromkeys(row["by"] for row in content["planted"] if row["by"] != "content")
    text += "\nMean recall over all kinds / mean precision, by what is compared and by ratio:\n\n"
    text += table(
        ["compared", "ratio", *datasets],
        [
            [way, f"{ratio:g}", *(_mean(content, dataset, way, ratio) for dataset in datasets)]
            for way in ways
            for ratio in ratios
        ],
    )
    text += "\nReported among the images as they are:\n\n"
    return text + table(
        ["dataset", "images", "exact copies", "near pairs", "seconds"],
        [
            [
                row["dataset"],
                f"{row['images']:,}",
                str(row["exact"]),
                str(len(row["pairs"])),
                f"{row['sketch_seconds'] + row['search_seconds']:.1f}",
            ]
            for row in content["untouched"]
        ],
    )


def _cell(row: dict[str, Any]) -> str:
    precision = row["precision"]
    return f"{row['recall']:.3f} / {'–' if precision is None else f'{precision:.3f}'}"


def _mean(content: dict[str, Any], dataset: str, way: str, ratio: float) -> str:
    rows = [
        row
        for row in content["planted"]
        if (row["dataset"], row["by"], row["ratio"]) == (dataset, way, ratio)
    ]
    precisions = [row["precision"] for row in rows if row["precision"] is not None]
    recall = sum(row["recall"] for row in rows) / len(rows)
    return (
        f"{recall:.3f} / {sum(precisions) / len(precisions):.3f}"
        if precisions
        else f"{recall:.3f} / –"
    )


if __name__ == "__main__":
    main()
