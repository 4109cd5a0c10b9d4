"""`ftcore evaluate`: score a finished run again, a pretrained model as it is, or stored logits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftcore.cli.options import config_options, given, json_option, quiet_option
from ftcore.cli.output import print_record
from ftcore.config import LogitsConfig
from ftcore.interfaces import SEVERITIES

if TYPE_CHECKING:
    from ftcore.plugins import Plugins

STORED = ("logits", "targets", "classes", "ignore_index")
BOTH = ("metric", "require")
OPTIONS = (
    "backbone",
    "weights",
    "dataset",
    "task",
    *BOTH,
    "image_size",
    "precision",
    "device",
    "workers",
    "seed",
)


@click.command("evaluate", short_help="Score a finished run, a pretrained model, or stored logits.")
@click.argument("run", required=False, type=click.Path(path_type=Path))
@config_options(STORED, LogitsConfig)
@config_options(OPTIONS)
@click.option(
    "--corruptions",
    help="all, or names joined with commas: score damaged copies of the images as well, with the "
    "15 common corruptions of Hendrycks & Dietterich 2019, written anew.",
)
@click.option(
    "--severity",
    type=click.IntRange(min(SEVERITIES), max(SEVERITIES)),
    multiple=True,
    help="Severity of --corruptions; may be repeated, by default 1 to 5.",
)
@json_option
@quiet_option
@click.pass_obj
def command(
    plugins: Plugins, /, run: Path | None, *, as_json: bool, quiet: bool, **options: Any
) -> None:
    """Evaluate the finished run in the folder RUN, on its test part or on another --dataset.

    Without RUN, evaluate a pretrained --backbone with the head its --weights came with; or, with
    --logits and --targets, what any other tool computed and stored.
    Classes are matched by name. Nothing is trained or written.
    """
    from ftcore import api
    from ftcore.cli.progress import observing

    chosen = given(options)
    is_stored = _is_stored(run, chosen)
    with observing(quiet=quiet) as observer:
        if is_stored:
            record = api.evaluate_logits(plugins=plugins, observer=observer, **chosen)
        else:
            record = api.evaluate(run, plugins=plugins, observer=observer, **chosen)
    print_record(record, as_json=as_json)
    api.check_requirements(record)


def _is_stored(run: Path | None, chosen: dict[str, Any]) -> bool:
    """Whether stored logits are to be scored; UsageError where options of both kinds are given."""
    stored = [name for name in STORED if name in chosen]
    others = [_flag(name) for name in chosen if name not in STORED + BOTH]
    if run is not None:
        others.insert(0, f"the run {run}")
    if stored and "logits" not in chosen:
        raise click.UsageError(f"{_flag(stored[0])} goes with --logits, which is not given")
    if stored and others:
        raise click.UsageError(
            "--logits scores stored logits, without a model or a dataset: "
            f"leave out {', '.join(others)}"
        )
    return bool(stored)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
