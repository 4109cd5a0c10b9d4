"""`ftcore data`: look at a dataset without training on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftcore.cli.options import config_options, given, json_option, quiet_option
from ftcore.errors import DataError, UsageError

if TYPE_CHECKING:
    from ftcore.plugins import Plugins


@click.group("data")
def command() -> None:
    """Look at a dataset without training on it."""


@command.command("check")
@config_options(("dataset", "task", "split_seed"))
@click.option(
    "--near/--no-near",
    default=None,
    help="Look for near copies too: resized, stored anew, mirrored, cropped a little; by default "
    "where there are up to 100,000 examples.",
)
@click.option(
    "--backbone", help="Let the frozen features of this backbone point at near copies as well."
)
@click.option("--weights", help="Weights of --backbone, as ftcore run takes them.")
@config_options(("image_size", "device", "workers"))
@click.option("--strict", is_flag=True, help="Exit 3 where test examples are in train as well.")
@json_option
@quiet_option
@click.pass_obj
def check(
    plugins: Plugins,
    /,
    *,
    dataset: str | None,
    task: str | None,
    split_seed: int | None,
    near: bool | None,
    strict: bool,
    as_json: bool,
    quiet: bool,
    **backbone: str | int | Path | None,
) -> None:
    """Read every example and check every label; look for copies and for scarce classes.

    Exit 3 and name what is wrong where an example cannot be used. Copies and scarce classes are
    findings: they leave the exit code at 0, unless --strict is given.
    """
    from ftcore import api
    from ftcore.cli.progress import observing
    from ftcore.reports.data import render_data

    features: dict[str, Any] = given(backbone)
    if features and "backbone" not in features:
        raise UsageError("--weights and the options beside it are those of --backbone; give it too")
    with observing(quiet=quiet) as observer:
        summary = api.check_data(
            dataset or "digits",
            task=task,
            split_seed=split_seed or 0,
            near=near,
            features=features,
            plugins=plugins,
            observer=observer,
        )
    if as_json:
        click.echo(json.dumps(summary.to_json(), indent=2, ensure_ascii=False))
    else:
        parts = ", ".join(f"{size:,} {part}" for part, size in summary.splits.items())
        count = len(summary.classes)
        click.echo(f"{summary.name}: {summary.task}, {count} classes; {parts} examples")
        for line in render_data(summary.classes, summary.balance, summary.duplicates):
            click.echo(line)
        for note in summary.notes:
            click.echo(f"note: {note}")
        click.echo("every example can be read, every label is in range")
    if strict and summary.leaked:
        raise DataError(
            f"{summary.leaked:,} of {summary.splits['test']:,} test examples of {summary.name!r} "
            "are in train as well; take them out of one of the two (--json names them all)"
        )
