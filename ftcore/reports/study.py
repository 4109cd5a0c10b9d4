"""The console cards of a study and of a comparison."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from ftcore.record import (
    CellRecord,
    ComparisonRecord,
    DifferenceRecord,
    ScoreRecord,
    SpreadRecord,
    StudyRecord,
)
from ftcore.reports.layout import fits, lay_out, lay_out_table

SHOWN_METRICS = 4
# A verdict, where what is compared with is the best.
BESIDE_BEST = {"no difference shown": "not shown worse"}


def render_study(record: StudyRecord, width: int = 80) -> list[str]:
    """Return the card's lines, wrapped to `width` columns."""
    scored = [cell for cell in record.cells if cell.metrics]
    rows: list[tuple[str, str]] = []
    if len(scored) == 1:
        rows += _one(scored[0])
    table = _table(scored, record, width) if len(scored) > 1 else []
    rows += failed_rows(record)
    rows += [("note", note) for note in record.notes]
    rows.append(("time", f"{sum(record.timings.values()):.1f} s"))
    rows.append(("files", record.directory))
    if len(scored) > 1:
        rows.append(("next", f"ftcore compare {record.directory}"))
    lines = lay_out(_title(record), [], width)
    lines += lay_out_table(table, width) if table else []
    return lines + lay_out("", rows, width)


def render_comparison(record: ComparisonRecord, width: int = 80) -> list[str]:
    """Return the lines of each pair, wrapped to `width` columns."""
    over = f", {record.folds} folds" if record.folds else ""
    title = f"{record.pairs[0].reference} is the reference · {record.examples:,} examples{over}"
    rows: list[tuple[str, str]] = []
    for pair in record.pairs:
        first, *others = pair.differences
        rows.append((pair.name, _verdict(first)))
        rows += [("", test) for test in _tests(first, record)]
        rows += [(each.metric, _change(each)) for each in others]
    rows += [("note", note) for note in record.notes]
    return lay_out(title, rows, width)


def _title(record: StudyRecord) -> str:
    runs = record.config["runs"]
    names = [
        str(runs[name][0]) for name in ("backbone", "freeze", "dataset") if _is_one(runs, name)
    ]
    return " · ".join([*names, repetitions(record)])


def repetitions(record: StudyRecord) -> str:
    """Return how often each configuration is run, as in "5 folds × 3 seeds"."""
    folds = f"{record.folds} folds × " if record.folds else ""
    return f"{folds}{record.seeds} seed{'s' if record.seeds > 1 else ''}"


def failed_rows(record: StudyRecord) -> list[tuple[str, str]]:
    """Return the row that counts the failed runs and tells the first, or none."""
    failures = record.failures
    if not failures:
        return []
    return [("failed", f"{len(failures)} of {record.size} runs; {failures[0].failure}")]


def _is_one(runs: dict[str, list[object]], name: str) -> bool:
    return len(runs.get(name, ())) == 1


def _one(cell: CellRecord) -> list[tuple[str, str]]:
    rows = [(name, format_score(score)) for name, score in cell.metrics.items()]
    name, first = next(iter(cell.metrics.items()))
    rows[0] = (rows[0][0], f"{rows[0][1]}  95 % interval, {first.n:,} examples")
    hidden = len(rows) - SHOWN_METRICS
    rows = rows[:SHOWN_METRICS] + ([("", f"{hidden} more with --json")] if hidden > 0 else [])
    rows.append(("runs", f"{len(cell.runs)}; {name} from {_range(first, ' over ', ' to ')}"))
    rows.append(("spread", _spread(first.spread)))
    return rows


def _table(cells: list[CellRecord], record: StudyRecord, width: int) -> list[tuple[str, ...]]:
    """Rows of cells; the seconds are left out where they make the table too wide."""
    name = next(iter(cells[0].metrics))
    columns: dict[str, Callable[[CellRecord], str]] = {
        "": lambda cell: cell.label,
        name: lambda cell: _number(cell.metrics[name].value),
        "95 % interval": lambda cell: _interval(cell.metrics[name].low, cell.metrics[name].high),
        "min, median, max": lambda cell: _range(cell.metrics[name]),
        "trained": lambda cell: "" if cell.trained is None else f"{cell.trained:,}",
        "seconds": lambda cell: f"{cell.seconds:.1f}",
        "verdict": lambda cell: _verdicts(record.comparison).get(cell.label, ""),
    }
    if all(len(cell.runs) == 1 for cell in cells):
        del columns["min, median, max"]
    if len({cell.trained for cell in cells}) == 1:
        del columns["trained"]
    if not _is_curve(cells):
        sign = -1 if cells[0].metrics[name].higher_is_better else 1
        cells = sorted(cells, key=lambda each: sign * (each.metrics[name].value or 0.0))
    rows = [tuple(columns), *(tuple(show(cell) for show in columns.values()) for cell in cells)]
    if fits(rows, width):
        return rows
    place = list(columns).index("seconds")
    return [(*row[:place], *row[place + 1 :]) for row in rows]


def _is_curve(cells: list[CellRecord]) -> bool:
    """Whether the configurations have an order of their own, such as numbers of shots."""
    return all(set(cell.settings) == {"shots"} for cell in cells)


def _verdicts(comparison: ComparisonRecord | None) -> dict[str, str]:
    if comparison is None:
        return {}
    found = {pair.name: pair.differences[0].verdict for pair in comparison.pairs}
    words = {name: BESIDE_BEST.get(verdict, verdict) for name, verdict in found.items()}
    return {comparison.pairs[0].reference: "best", **words}


def _verdict(found: DifferenceRecord) -> str:
    words = f"{found.verdict}: {_difference(found)}"
    if found.more:
        words += f"; about {found.more:,} more test examples would show a difference of this size"
    return words


def _difference(found: DifferenceRecord) -> str:
    return f"{found.metric} {_change(found)}"


def _change(found: DifferenceRecord) -> str:
    if found.difference is None or found.value is None or found.reference is None:
        return "undefined"
    interval = _interval(found.low, found.high, sign="+")
    return (
        f"{found.reference:.4f} → {found.value:.4f}, {found.difference:+.4f}  {interval}".rstrip()
    )


def _tests(found: DifferenceRecord, record: ComparisonRecord) -> list[str]:
    lines = []
    for index, test in enumerate(found.tests):
        p = "undefined" if test.p is None else f"{test.p:.3g}"
        said = f"{test.name}: p = {p}"
        if index == 0 and len(record.pairs) > 1 and found.p is not None:
            said += f", {found.p:.3g} after Holm's correction for {len(record.pairs)} pairs"
        lines.append(said + (f" ({test.note})" if test.note and test.note not in said else ""))
    return lines


def _spread(spread: SpreadRecord) -> str:
    parts = [
        f"± {value:.4f} {what}"
        for value, what in (
            (spread.test, "test examples"),
            (spread.seed, "seed"),
            (spread.fold, "training set"),
        )
        if value is not None
    ]
    return ", ".join(parts) + " (standard deviations of one run)" if parts else spread.note


def format_score(score: ScoreRecord) -> str:
    """Return mean and interval, as in "0.9530  [0.9280, 0.9720]"."""
    if score.value is None:
        return "undefined"
    return f"{score.value:.4f}  {_interval(score.low, score.high)}".rstrip()


def _interval(low: float | None, high: float | None, sign: str = "") -> str:
    return "" if low is None or high is None else f"[{low:{sign}.4f}, {high:{sign}.4f}]"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def _range(score: ScoreRecord, *between: str) -> str:
    """Lowest, median and highest value of the runs."""
    values = sorted(value for row in score.values for value in row if value is not None)
    if not values:
        return "undefined"
    first, second = between or (" ", " ")
    return f"{values[0]:.3f}{first}{median(values):.3f}{second}{values[-1]:.3f}"
