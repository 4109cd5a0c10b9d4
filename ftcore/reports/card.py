"""The console card: a record on one screen, as plain lines."""

from __future__ import annotations

import textwrap

from ftcore.record import FreezeRecord, MetricValue, Record

LABEL = 12
SHOWN_METRICS = 4


def render_card(record: Record, width: int = 80) -> list[str]:
    """Return the card's lines, each at most `width` columns wide where words allow it."""
    rows = [("", _title(record)), *_scores(record)]
    if record.freeze is not None:
        rows += _freezing(record.freeze)
    rows.append(("weights", _weights(record)))
    rows += [("note", note) for note in record.notes if note != record.weights.note]
    if record.timings:
        rows.append(("time", _time(record.timings)))
    if record.directory is not None:
        rows.append(("files", record.directory))
        rows.append(("next", f"ftcore predict {record.directory} YOUR_FILES"))
    return [line for label, text in rows for line in _wrap(label, text, width)]


def format_value(metric: MetricValue) -> str:
    """Return value and interval, as in "0.953  [0.928, 0.972]"."""
    if metric.value is None:
        return "undefined"
    if metric.low is None or metric.high is None:
        return f"{metric.value:.4f}"
    return f"{metric.value:.4f}  [{metric.low:.4f}, {metric.high:.4f}]"


def _title(record: Record) -> str:
    config = record.config
    parts = [config["backbone"], f"freeze {config['freeze']}", config["dataset"]]
    if record.kind == "evaluation":
        parts[1] = "evaluated as it is"
    return " · ".join(parts) + f" · seed {record.seed}"


def _scores(record: Record) -> list[tuple[str, str]]:
    rows = []
    for position, (name, metric) in enumerate(record.metrics.items()):
        if position == SHOWN_METRICS:
            more = len(record.metrics) - SHOWN_METRICS
            rows.append(("", f"and {more} more in record.json, or with --json"))
            break
        note = f"  95 % interval, n = {metric.n}" if position == 0 else ""
        rows.append((name, format_value(metric) + note))
    first = next(iter(record.metrics), None)
    for name, values in record.baselines.items():
        if first is not None and values[first].value is not None:
            rows.append((name, f"{values[first].value:.4f}  baseline, {first} without any input"))
    return rows


def _freezing(freeze: FreezeRecord) -> list[tuple[str, str]]:
    share = freeze.trained / max(freeze.parameters, 1)
    rows = [
        ("trained", f"{freeze.trained:,} of {freeze.parameters:,} parameters ({share:.2%})"),
        (
            "frozen",
            f"{freeze.frozen:,} parameters, {freeze.changed_bytes} bytes changed "
            f"(SHA-256 {freeze.sha256_after[:8]}… before and after)",
        ),
    ]
    cached = [stage.name for stage in freeze.stages if stage.cached]
    if cached:
        rows.append(("cached", f"{', '.join(cached)}: computed once, not in every epoch"))
    return rows


def _weights(record: Record) -> str:
    weights = record.weights
    if weights.note:
        return weights.note
    if weights.name == "random":
        return "random, as asked for; nothing was pretrained"
    return f"{weights.name}, {weights.origin} (SHA-256 {weights.sha256[:8]}…)"


def _time(timings: dict[str, float]) -> str:
    total = sum(timings.values())
    parts = ", ".join(
        f"{name} {seconds:.1f}" for name, seconds in timings.items() if seconds >= 0.1
    )
    return f"{total:.1f} s" + (f" ({parts})" if parts else "")


def _wrap(label: str, text: str, width: int) -> list[str]:
    indent = min(LABEL + 2, max(width // 3, 1)) if label else 0
    first = f"{label:<{indent}}" if label else ""
    return textwrap.wrap(
        text,
        width=max(width, 20),
        initial_indent=first if len(first) == indent else f"{label} ",
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
