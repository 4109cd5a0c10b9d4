"""The console card: a record on one screen, as plain lines."""

from __future__ import annotations

from ftcore.record import (
    CalibrationRecord,
    CorruptionsRecord,
    FeaturesRecord,
    FreezeRecord,
    MetricValue,
    Record,
    WeightsRecord,
    format_bytes,
)
from ftcore.reports.layout import lay_out
from ftcore.reports.robustness import tabulate_corruptions

SHOWN_METRICS = 3
SHOWN_TIME = 0.04  # the part of the whole that a step takes at least

_LABELS = {"knn": "k-NN", "probe": "linear probe", "scratch": "from scratch"}


def render_card(record: Record, width: int = 80) -> list[str]:
    """Return the card's lines, wrapped to `width` columns."""
    rows = [*_scores(record), *_baselines(record), *_leaks(record)]
    if record.repeats:
        rows.append(("other seeds", _repeats(record)))
    if record.corruptions is not None:
        rows += _corrupted(record.corruptions)
    if record.calibration is not None:
        rows.append(("calibration", _calibrated(record.calibration)))
    if record.freeze is not None:
        rows.append(("trained", _freezing(record.freeze)))
    rows += [("cached", _cached(features)) for features in record.features]
    if record.weights is not None:
        rows.append(("weights", _weights(record.weights)))
    if record.counts.ignored:
        rows.append(("ignored", f"{record.counts.ignored:,} examples, not scored"))
    said = record.weights.note if record.weights is not None else ""
    rows += [("note", note) for note in record.notes if note != said]
    if record.timings:
        rows.append(("time", _time(record.timings)))
    if record.directory is not None:
        rows.append(("files", record.directory))
        if record.kind == "run":
            rows.append(("next", f"ftcore predict {record.directory} YOUR_FILES"))
    lines = lay_out(_title(record), rows, width)
    if record.corruptions is not None:
        lines += ["", *tabulate_corruptions(record.corruptions, width)]
    return lines


def format_value(metric: MetricValue) -> str:
    """Return value and interval, as in "0.9530  [0.9280, 0.9720]"."""
    if metric.value is None:
        return "undefined"
    if metric.low is None or metric.high is None:
        return f"{metric.value:.4f}"
    return f"{metric.value:.4f}  [{metric.low:.4f}, {metric.high:.4f}]"


def _title(record: Record) -> str:
    config = record.config
    if record.logits is not None:
        return f"{record.logits.file} · stored logits, {record.logits.dtype}"
    how = f"freeze {config['freeze']}"
    if record.kind == "evaluation":
        how = "evaluated again" if record.directory else "evaluated as it came"
    words = [config["backbone"], how, config["dataset"]]
    words += [f"fold {config['fold']}"] if config.get("fold") else []
    words += [f"{config['shots']} shots"] if config.get("shots") else []
    return " · ".join([*words, f"seed {record.seed}"])


def _scores(record: Record) -> list[tuple[str, str]]:
    rows = [(name, format_value(metric)) for name, metric in record.metrics.items()]
    rows[0] = (rows[0][0], f"{rows[0][1]}  95 % interval, {record.counts.evaluated} test examples")
    shown, hidden = rows[:SHOWN_METRICS], len(rows) - SHOWN_METRICS
    if hidden > 0:
        shown[-1] = (shown[-1][0], f"{shown[-1][1]}  {hidden} more with --json")
    return shown


def _baselines(record: Record) -> list[tuple[str, str]]:
    first = next(iter(record.metrics))
    return [
        (_LABELS.get(name, name), f"{format_value(values[first])}  {_gain(record, name, first)}")
        for name, values in record.baselines.items()
    ]


def _leaks(record: Record) -> list[tuple[str, str]]:
    leaks, first = record.leaks, next(iter(record.metrics))
    if leaks is None or not leaks.leaked:
        return []
    near = f" ({leaks.near:,} of them nearly)" if leaks.near else ""
    where = "train" if leaks.in_train == leaks.leaked else "train or val"
    found = f"{leaks.leaked:,} of {leaks.leaked + leaks.kept:,} test examples are in {where}{near}"
    if not leaks.metrics:
        return [("leaked", f"{found}; {leaks.note}")]
    return [("leaked", f"{found}; without them {first} {format_value(leaks.metrics[first])}")]


def _repeats(record: Record) -> str:
    name = next(iter(record.metrics))
    values = [each.metrics[name] for each in record.repeats]
    finite = sorted(value for value in values if value is not None)
    heads = f"{len(values)} more heads"
    return f"{name} {finite[0]:.4f} to {finite[-1]:.4f}, {heads}" if finite else heads


def _corrupted(found: CorruptionsRecord) -> list[tuple[str, str]]:
    error, relative = found.mean_corruption_error, found.relative_mean_corruption_error
    levels = ", ".join(map(str, found.levels))
    count = len(found.corruptions)
    what = f"over {count} corruption{'s' if count > 1 else ''} at severity {levels}"
    return [
        ("corrupted", f"{format_value(found.mean[found.metric])}  mean {found.metric} {what}"),
        ("mCE", f"{format_value(error)}  mean corruption error, not divided by AlexNet's"),
        ("relative mCE", f"{format_value(relative)}  the same, less the error without corruption"),
    ]


def _calibrated(found: CalibrationRecord) -> str:
    name, before = next(iter(found.before.items()))
    values = [_short(before), _short(found.after[name])]
    text = f"{name} {' → '.join(values)} at temperature {found.temperature:.3g}, fitted on val"
    return text + (", at the bound of what is tried" if found.is_bounded else "")


def _short(metric: MetricValue) -> str:
    return "undefined" if metric.value is None else f"{metric.value:.3f}"


def _gain(record: Record, baseline: str, metric: str) -> str:
    found = record.gains.get(baseline, {}).get(metric)
    if found is None or found.difference is None:
        return f"baseline {metric}"
    if found.verdict == "no difference shown":
        return f"no difference shown ({found.difference:+.3f})"
    if found.verdict == "better" and found.higher_is_better:
        return f"run adds {found.difference:+.3f}{_ends(found.low, found.high, '+')}"
    if found.difference > 0:
        return f"run {found.verdict} by {found.difference:.3f}{_ends(found.low, found.high)}"
    low, high = (None if end is None else -end for end in (found.high, found.low))
    return f"run {found.verdict} by {-found.difference:.3f}{_ends(low, high)}"


def _ends(low: float | None, high: float | None, sign: str = "-") -> str:
    return "" if low is None or high is None else f" [{low:{sign}.3f}, {high:{sign}.3f}]"


def _freezing(freeze: FreezeRecord) -> str:
    share = freeze.trained / max(freeze.parameters, 1)
    trained = f"{freeze.trained:,} of {freeze.parameters:,} parameters ({share:.2%})"
    return f"{trained}; rest: {freeze.changed_bytes} bytes changed" if freeze.frozen else trained


def _cached(features: FeaturesRecord) -> str:
    if not features.computed:
        how = "found"
    elif features.found:
        how = f"{features.found:,} of {features.examples:,} examples found"
    else:
        how = f"computed in {features.seconds:.1f} s"
    where = "in memory" if features.kept == "memory" else "on disk"
    return (
        f"{features.first_stage} to {features.last_stage} {how}, {format_bytes(features.bytes)} "
        f"{where}; ~{max(features.saved_seconds, 0.0):.0f} s saved"
    )


def _weights(weights: WeightsRecord) -> str:
    if weights.note:
        return weights.note.partition(": ")[0]  # the reason was printed before the run
    if weights.name == "random":
        return "random; nothing was pretrained"
    return f"{weights.name}, {weights.origin} (SHA-256 {weights.sha256[:8]}…)"


def _time(timings: dict[str, float]) -> str:
    total = sum(timings.values())
    least = max(0.1, SHOWN_TIME * total)
    parts = [f"{name} {seconds:.1f}" for name, seconds in timings.items() if seconds >= least]
    return f"{total:.1f} s" + (f" ({', '.join(parts)})" if parts else "")
