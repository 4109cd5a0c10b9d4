"""`ftcore study`: cross-validation, seeds, and grids of configurations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftcore.cli.options import config_options, continued_options, refuse_flags, values_of
from ftcore.cli.output import print_study
from ftcore.config import RunConfig
from ftcore.errors import FtcoreError
from ftcore.studies.config import OWN, StudyConfig

if TYPE_CHECKING:
    from ftcore.plugins import Plugins
    from ftcore.record import StudyRecord

OF_RUNS = [name for name in RunConfig.model_fields if name not in (*OWN, "shots", "save")]


@click.command("study", short_help="Cross-validate, repeat with seeds, compare configurations.")
@config_options(("folds", "seeds", "jobs", "out"), StudyConfig)
@click.option(
    "--shots", help="Numbers of training examples of each class to try, as in 1,2,5,10,full."
)
@config_options(OF_RUNS, repeatable=True)
@config_options(("save",))
@continued_options(
    "FTCORE_STUDY_CONFIG",
    "YAML file of options, such as a study's study.yaml; flags and environment go before it.",
    "Go on with the study in this folder.",
    "Print the runs that it would make; stop.",
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
    """Run configurations with several folds and seeds, and say how good and how stable they are.

    An option of a run that is given more than once is tried with each value, in all combinations:
    --freeze bottom --freeze none. Everything goes into a new folder below --out, from which a
    study that was stopped or killed goes on: what is finished is never run again.
    """
    from ftcore import api
    from ftcore.cli.progress import observing

    with observing(quiet=quiet or dry_run, verbose=verbose) as observer:
        if resume is not None:
            refuse_flags()
            record = api.resume_study(resume, plugins=plugins, observer=observer)
        else:
            config = _config(config_file, options)
            if dry_run:
                _print_plan(config)
                return
            record = api.study(config, plugins=plugins, observer=observer)
    print_study(record, as_json=as_json)
    check_failures(record)


def _config(file: Path | None, options: dict[str, Any]) -> StudyConfig:
    if options["shots"] is not None:
        words = str(options["shots"]).split(",")
        options["shots"] = [int(word) if word.strip().isdigit() else word.strip() for word in words]
    return StudyConfig.of(*values_of(file, options))


def _print_plan(config: StudyConfig) -> None:
    from ftcore.studies.plan import plan_runs

    for cell in plan_runs(config):
        for member in cell.members:
            click.echo(member.name)


def check_failures(record: StudyRecord, command: str = "study") -> None:
    """Raise FtcoreError where runs failed; it says how `command` tries them again."""
    failures = record.failures
    if failures:
        raise FtcoreError(
            f"{len(failures)} of {record.size} runs failed, the first is {failures[0].name}: "
            f"{failures[0].failure}. To try them again: "
            f"ftcore {command} --resume {record.directory}"
        )
