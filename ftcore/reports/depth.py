"""The console card of a depth sweep: a small curve, what each depth took, what to do."""

from __future__ import annotations

from ftcore.record import DepthPoint, DepthRecord
from ftcore.reports.layout import lay_out, lay_out_table
from ftcore.reports.study import BESIDE_BEST, failed_rows, repetitions

LEAST_BAR = 8  # columns
PREFIXES = ("", " k", " M", " G", " T", " P", " E")


def render_depth(record: DepthRecord, width: int = 80) -> list[str]:
    """Return the card's lines, wrapped to `width` columns."""
    lines = lay_out(_title(record), [], width)
    if any(point.value is not None for point in record.curve):
        lines += _curve(record, width)
    lines += ["", *lay_out_table(_table(record), width), ""]
    study, found = record.study, record.recommendation
    rows = [("depth", found.reason if found else f"no recommendation: {record.why_none}")]
    rows += failed_rows(study)
    compared = study.comparison.notes if study.comparison else ()
    rows += [("note", note) for note in (*record.notes, *study.notes, *compared)]
    rows.append(("time", f"{sum(study.timings.values()):.1f} s"))
    rows.append(("files", study.directory))
    if found:
        rows.append(("next", f"ftcore run --freeze {found.freeze}"))
    return lines + lay_out("", rows, width)


def _title(record: DepthRecord) -> str:
    runs, study = record.study.config["runs"], record.study
    names = [str(runs[name][0]) for name in ("backbone", "dataset") if name in runs]
    return " · ".join([*names, f"{len(record.stages)} stages", repetitions(study)])


def _curve(record: DepthRecord, width: int) -> list[str]:
    """A line for each depth: its interval on one axis for all, and how it stands."""
    verdicts = [_verdict(point, record) for point in record.curve]
    label = max(len(point.freeze) for point in record.curve)
    beside = max(map(len, verdicts)) + 2
    is_narrow = width - label - 2 - beside < LEAST_BAR
    size = max(LEAST_BAR, width - label - 2 - (0 if is_narrow else beside))
    ends = [end for point in record.curve for end in _ends(point)]
    low, high = min(ends), max(ends)
    lines = [f"{'':{label}}  {_axis(record.metric, low, high, size)}"]
    for point, verdict in zip(record.curve, verdicts, strict=True):
        bar = _bar(point, low, high, size)
        if is_narrow:
            lines.append(f"{point.freeze:{label}}  {bar}".rstrip())
            lines += lay_out("", [("", verdict)], width)
        else:
            lines.append(f"{point.freeze:{label}}  {bar:{size}}  {verdict}".rstrip())
    return lines


def _axis(metric: str, low: float, high: float, size: int) -> str:
    ends = f"{low:.3f}", f"{high:.3f}"
    free = size - len("".join(ends))
    middle = metric if len(metric) + 2 <= free else ""
    return f"{ends[0]}{middle:^{max(free, 1)}}{ends[1]}"


def _bar(point: DepthPoint, low: float, high: float, size: int) -> str:
    if point.value is None:
        return ""
    step = (high - low) / (size - 1)
    first, at, last = (
        0 if step == 0 else round((value - low) / step)
        for value in (min(_ends(point)), point.value, max(_ends(point)))
    )
    return " " * first + "─" * (at - first) + "●" + "─" * (last - at)


def _ends(point: DepthPoint) -> list[float]:
    """What the axis must reach: the value, and the ends of its interval where it has one."""
    return [end for end in (point.value, point.low, point.high) if end is not None]


def _verdict(point: DepthPoint, record: DepthRecord) -> str:
    if point.value is None:
        return "no result"
    words = (
        "not compared" if point.verdict is None else BESIDE_BEST.get(point.verdict, point.verdict)
    )
    found = record.recommendation
    return f"{words}, take this" if found and found.freeze == point.freeze else words


def _table(record: DepthRecord) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        ("freeze", record.metric, "95 % interval", "trained", "FLOP/epoch", "s/run")
    ]
    for point in record.curve:
        has_interval = point.low is not None and point.high is not None
        rows.append(
            (
                point.freeze,
                "" if point.value is None else f"{point.value:.4f}",
                f"[{point.low:.4f}, {point.high:.4f}]" if has_interval else "",
                "" if point.trained is None else f"{point.trained:,}",
                "" if point.flops is None else format_flops(point.flops),
                "" if point.seconds is None else f"{point.seconds:.1f}",
            )
        )
    return rows


def format_flops(count: float) -> str:
    """Return a count in three digits, as in "1.23 G" for 1,234,567,890."""
    power = 0
    while float(f"{count:.3g}") >= 1000 and power < len(PREFIXES) - 1:
        count, power = count / 1000, power + 1
    digits = f"{count:#.3g}".removesuffix(".") if power else f"{count:g}"
    return digits + PREFIXES[power]
