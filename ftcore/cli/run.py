"""`ftcore run`: fine-tune a backbone and evaluate it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftcore.cli.options import config_options, continued_options, refuse_flags, values_of
from ftcore.cli.output import print_plan, print_record
from ftcore.config import RunConfig

if TYPE_CHECKING:
    from ftcore.plugins import Plugins


@click.command("run", short_help="Fine-tune a pretrained backbone and evaluate it.")
@config_options()
@continued_options(
    "FTCORE_RUN_CONFIG",
    "YAML file of options, such as a run's config.yaml; flags and environment go before it.",
    "Go on with the stopped run in this folder.",
    "Print what would train and what is frozen; stop.",
)
@click.pass_obj
def command(
    plugins: Plugins,
    /,
    *,
    config_file: Path | None,
    resume: Path | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """Fine-tune a pretrained backbone on a dataset, and say whether it worked.

    Freezes part of the backbone, trains the rest and a new head, evaluates the best epoch on the
    test part, and writes everything into a new folder below --out.
    """
    from ftcore import api
    from ftcore.cli.progress import observing

    with observing(quiet=quiet or dry_run, verbose=verbose) as observer:
        if resume is not None:
            refuse_flags()
            record = api.resume(resume, plugins=plugins, observer=observer)
        else:
            config = RunConfig.parse(*values_of(config_file, options))
            if dry_run:
                print_plan(api.plan(config, plugins=plugins, observer=observer), as_json=as_json)
                return
            record = api.run(config, plugins=plugins, observer=observer)
    print_record(record, as_json=as_json)
    api.check_requirements(record)
