"""`ftcore run`: fine-tune a backbone and evaluate it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftcore.cli.options import config_options, given, json_option, quiet_option, verbose_option
from ftcore.cli.output import print_plan, print_record
from ftcore.config import RunConfig, read_yaml
from ftcore.errors import UsageError

if TYPE_CHECKING:
    from ftcore.plugins import Plugins


@click.command("run", short_help="Fine-tune a pretrained backbone and evaluate it.")
@config_options()
@click.option(
    "--config",
    "config_file",
    envvar="FTCORE_RUN_CONFIG",
    type=click.Path(path_type=Path),
    help="YAML file of options, such as a run's config.yaml; flags and environment go before it.",
)
@click.option(
    "--resume", type=click.Path(path_type=Path), help="Go on with the stopped run in this folder."
)
@click.option("--dry-run", is_flag=True, help="Print what would train and what is frozen; stop.")
@json_option
@quiet_option
@verbose_option
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
            file = read_yaml(config_file) if config_file else {}
            source = str(config_file) if config_file else "the options"
            config = RunConfig.parse({**file, **given(options)}, source)
            if dry_run:
                print_plan(api.plan(config, plugins=plugins, observer=observer), as_json=as_json)
                return
            record = api.run(config, plugins=plugins, observer=observer)
    print_record(record, as_json=as_json)
    api.check_requirements(record)


def refuse_flags() -> None:
    """Raise UsageError for options beside --resume that would change what is gone on with."""
    context = click.get_current_context()
    kept = {"resume", "as_json", "quiet", "verbose"}
    typed = [
        "--" + name.replace("config_file", "config").replace("_", "-")
        for name in context.params
        if name not in kept
        and context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    ]
    if typed:
        raise UsageError(
            f"--resume goes on with its own configuration; leave out {', '.join(typed)}"
        )
