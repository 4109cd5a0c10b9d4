"""`ftcore evaluate`: score a finished run again, or a pretrained model as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftcore.cli.options import config_options, given, json_option, quiet_option
from ftcore.cli.output import print_record

if TYPE_CHECKING:
    from ftcore.plugins import Plugins

OPTIONS = (
    "backbone",
    "weights",
    "dataset",
    "task",
    "metric",
    "image_size",
    "precision",
    "device",
    "workers",
    "seed",
    "require",
)


@click.command("evaluate", short_help="Score a finished run, or a pretrained model as it is.")
@click.argument("run", required=False, type=click.Path(path_type=Path))
@config_options(OPTIONS)
@json_option
@quiet_option
@click.pass_obj
def command(
    plugins: Plugins, /, run: Path | None, *, as_json: bool, quiet: bool, **options: Any
) -> None:
    """Evaluate the finished run in the folder RUN, on its test part or on another --dataset.

    Without RUN, evaluate a pretrained --backbone with the head its --weights came with.
    Classes are matched by name. Nothing is trained or written.
    """
    from ftcore import api
    from ftcore.cli.progress import observing

    with observing(quiet=quiet) as observer:
        record = api.evaluate(run, plugins=plugins, observer=observer, **given(options))
    print_record(record, as_json=as_json)
    api.check_requirements(record)
