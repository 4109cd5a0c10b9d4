"""`ftcore data`: look at a dataset without training on it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from ftcore.cli.options import config_options, json_option, quiet_option

if TYPE_CHECKING:
    from ftcore.plugins import Plugins

SHOWN_CLASSES = 20


@click.group("data")
def command() -> None:
    """Look at a dataset without training on it."""


@command.command("check")
@config_options(("dataset", "task", "split_seed"))
@json_option
@quiet_option
@click.pass_obj
def check(
    plugins: Plugins,
    dataset: str | None,
    task: str | None,
    split_seed: int | None,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Read every example and check every label; exit 3 and name what is wrong."""
    from ftcore import api
    from ftcore.cli.progress import observing

    with observing(quiet=quiet) as observer:
        summary = api.check_data(
            dataset or "digits",
            task=task,
            split_seed=split_seed or 0,
            plugins=plugins,
            observer=observer,
        )
    if as_json:
        click.echo(json.dumps(summary.to_json(), indent=2, ensure_ascii=False))
        return
    parts = ", ".join(f"{size:,} {part}" for part, size in summary.splits.items())
    click.echo(f"{summary.name}: {summary.task}, {len(summary.classes)} classes; {parts} examples")
    for name, counts in list(summary.classes.items())[:SHOWN_CLASSES]:
        click.echo(f"  {name}: " + ", ".join(f"{n:,} {part}" for part, n in counts.items()))
    if len(summary.classes) > SHOWN_CLASSES:
        click.echo(f"  and {len(summary.classes) - SHOWN_CLASSES} more classes, with --json")
    for note in summary.notes:
        click.echo(f"note: {note}")
    click.echo("every example can be read, every label is in range")
