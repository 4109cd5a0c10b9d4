"""Results on stdout: a card or a table for people, one JSON document with --json."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from ftcore.record import Part
from ftcore.reports.card import render_card
from ftcore.reports.depth import render_depth
from ftcore.reports.study import render_comparison, render_study

if TYPE_CHECKING:
    from ftcore.api import Plan
    from ftcore.record import ComparisonRecord, DepthRecord, Record, StudyRecord

Shown = TypeVar("Shown", bound=Part)


def print_record(record: Record, *, as_json: bool) -> None:
    """Print the card, or the record as JSON."""
    _print(record, render_card, as_json)


def print_study(record: StudyRecord, *, as_json: bool) -> None:
    """Print the card of a study, or its record as JSON."""
    _print(record, render_study, as_json)


def print_depth(record: DepthRecord, *, as_json: bool) -> None:
    """Print the curve of a depth sweep and what it recommends, or its record as JSON."""
    _print(record, render_depth, as_json)


def print_comparison(record: ComparisonRecord, *, as_json: bool) -> None:
    """Print the verdicts of a comparison, or its record as JSON."""
    _print(record, render_comparison, as_json)


def _print(record: Shown, render: Callable[[Shown, int], list[str]], as_json: bool) -> None:
    if as_json:
        click.echo(record.model_dump_json(indent=2))
        return
    for line in render(record, terminal_width()):
        click.echo(line)


def print_plan(plan: Plan, *, as_json: bool) -> None:
    """Print what each stage does under the plan, or the plan as JSON."""
    if as_json:
        click.echo(json.dumps(plan.to_json(), indent=2))
        return
    rows = [("stage", "parameters", "trains", "learning rate", "from epoch", "cached")]
    for stage in plan.stages:
        share = "no" if not stage.trained else "yes"
        if 0 < stage.trained < stage.parameters:
            share = f"{stage.trained:,}"
        rates = " … ".join(_rate(plan.rate, scale) for scale in stage.rates)
        start = "" if stage.first_epoch is None else str(stage.first_epoch + 1)
        cached = "yes" if stage.cached else ""
        rows.append((stage.name, f"{stage.parameters:,}", share, rates, start, cached))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [f"{row[0]:<{widths[0]}}", f"{row[1]:>{widths[1]}}"]
        cells += [f"{cell:<{width}}" for cell, width in zip(row[2:], widths[2:], strict=True)]
        click.echo("  ".join(cells).rstrip())
    total, trained = (
        sum(getattr(s, key) for s in plan.stages) for key in ("parameters", "trained")
    )
    click.echo(f"{trained:,} of {total:,} parameters train")
    for stage in plan.stages:
        if stage.reason:
            click.echo(f"{stage.name}: {stage.reason}")
    for line in plan.cache:
        click.echo(f"cache: {line}")
    for note in plan.notes:
        click.echo(f"note: {note}")


def _rate(rate: float | None, scale: float) -> str:
    return "auto" if rate is None else f"{rate * scale:.2g}"


def terminal_width() -> int:
    """Return the width to wrap to: the terminal's, 80 in a pipe."""
    import shutil

    return min(shutil.get_terminal_size((80, 24)).columns, 100)
