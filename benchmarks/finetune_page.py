"""The part of docs/performance.md on fine-tuning beside other tools, and its chart."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from benchmarks.tables import machine, table

CHART = "images/finetune.svg"
OURS = "ftcore"

TEXT = """\

## Fine-tuning beside other tools

The same job for each: a frozen ResNet-18 at {size} pixels, a new linear head of {classes} classes,
AdamW at {rate}, batches of {batch}, {epochs} epochs of {train:,} images, and {test:,} to test on
after every epoch. Each is written as its own documentation has it, with its own loaders; all ran in
one process, in an order rotated from round to round, with {threads} threads. Medians.

![Seconds of {epochs} epochs]({chart})
"""

ADDED_UP = """\

¹ Added up: setup, and {epochs} times the epoch; the others were run whole.
"""

AFTER = """\

- An epoch of ftcore is a whole run of one epoch: it checks the data, computes the frozen features,
  trains, tests, and gives intervals. "again" finds the features that a run before it has kept. It
  sets a tenth of the training images apart, by which it chooses the epoch.
- CPU seconds are of {epochs} epochs and include loader processes; the peak of memory is that of the
  main process alone, in an epoch of {peak_images} images.
- The weights are random, since no ImageNet weights of a ResNet-18 were at hand, and the images are
  CIFAR-10's, enlarged from 32 pixels: the accuracies are those of random features, the same in
  all but for what BatchNorm does in train mode, for the loaders' resizing and the schedule. Small
  files favour those who decode them in every epoch.

What each does:
"""

ACCURACY = """\

The accuracy with real weights: MobileNetV2 of ImageNet on ants and bees ({weights}), {epochs}
epochs at {size} pixels with AdamW at a constant {rate}, scored on {test} photographs; mean of
{seeds} seeds with its {level:.0%} t-interval over them. The script trains on all {train}
photographs and keeps the last epoch; ftcore sets a tenth of them apart, by which it chooses one.
"""

STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.bar{fill:#8c959f}.ours{fill:#0969da}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.ours{fill:#4493f8}}"
)
WIDTH, LABELS, BARS, ROW = 720, 190, 430, 26  # pixels


def section(content: dict[str, Any], accuracy: dict[str, Any] | None) -> Iterator[str]:
    """Return the Markdown of the results, and of those with real weights where there are any."""
    sizes = content["job"] | content["images"]
    yield TEXT.format(**sizes, threads=content["threads"], chart=CHART)
    head = (
        "contestant",
        "seconds an epoch",
        f"{content['epochs']} epochs, s",
        "times ftcore's",
        "CPU s",
        "peak MiB",
        "accuracy after one epoch",
        f"after {content['epochs']}",
    )
    yield from (machine(content), "\n", table(head, _rows(content["rows"])))
    if _has_added_up(content):
        yield ADDED_UP.format(epochs=content["epochs"])
    yield AFTER.format(epochs=content["epochs"], peak_images=content["peak_images"])
    yield "".join(f"\n- {row['contestant']}: {row['does']}" for row in content["rows"]) + "\n"
    if accuracy is not None:
        yield ACCURACY.format(**(accuracy | accuracy["job"] | accuracy["images"]))
        yield "\n" + table(("contestant", "accuracy", "interval"), _accuracy_rows(accuracy["rows"]))


def _has_added_up(content: dict[str, Any]) -> bool:
    return any(row["whole"]["is_extrapolated"] for row in content["rows"])


def _rows(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    ours = next((row["whole"]["wall_s"] for row in rows if row["contestant"] == OURS), None)
    for row in rows:
        whole, last = row["whole"], row["accuracy"]
        yield (
            row["contestant"],
            f"{row['epoch']['wall_s']:.1f}",
            f"{whole['wall_s']:.1f}{' ¹' if whole['is_extrapolated'] else ''}",
            "" if ours is None else f"{whole['wall_s'] / ours:.2f}",
            f"{whole['cpu_s']:.1f}",
            f"{row['peak_mib']:.0f}",
            f"{row['accuracy_after_one_epoch']:.3f}",
            "" if last is None else f"{last:.3f}",
        )


def _accuracy_rows(rows: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        yield row["contestant"], f"{row['mean']:.3f}", f"{row['low']:.3f} to {row['high']:.3f}"


def chart(content: dict[str, Any]) -> str:
    """Return an SVG of one bar a contestant: the seconds of all epochs."""
    rows = content["rows"]
    most = max(row["whole"]["wall_s"] for row in rows)
    title = f"Seconds of {content['epochs']} epochs"
    if _has_added_up(content):
        title += "; added up where marked ¹"
    height = ROW * (len(rows) + 1) + 8
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style>",
        f'<text x="{LABELS}" y="18">{title}</text>',
        *(_bar(row, ROW * place, most) for place, row in enumerate(rows, start=1)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _bar(row: dict[str, Any], top: int, most: float) -> str:
    seconds, name = row["whole"]["wall_s"], row["contestant"]
    width = max(1.0, BARS * seconds / most)
    kind = "bar ours" if name.split(",")[0] == OURS else "bar"
    mark = " ¹" if row["whole"]["is_extrapolated"] else ""
    return (
        f'<text x="{LABELS - 8}" y="{top + 18}" text-anchor="end">{escape(name)}</text>'
        f'<rect class="{kind}" x="{LABELS}" y="{top + 4}" width="{width:.1f}" height="{ROW - 8}"/>'
        f'<text x="{LABELS + width + 6:.1f}" y="{top + 18}">{seconds:.1f}{mark}</text>'
    )
