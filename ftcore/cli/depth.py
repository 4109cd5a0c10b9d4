"""`ftcore depth`: how many of a backbone's stages to freeze."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ftcore.cli.options import config_options, continued_options, refuse_flags, values_of
from ftcore.cli.output import print_depth
from ftcore.cli.study import check_failures
from ftcore.config import RunConfig
from ftcore.studies.config import OWN, StudyConfig

if TYPE_CHECKING:
    from ftcore.plugins import Plugins

# Of a run alone, or what a sweep sets itself.
LEFT_OUT = (*OWN, "freeze", "repeats")
OF_RUNS = [name for name in RunConfig.model_fields if name not in LEFT_OUT]


@click.command("depth", short_help="Say how many stages to freeze.")
@click.option(
    "--depths",
    default="",
    help="Numbers of frozen stages to try, as in 0,2,4,all; by default each.",
)
@config_options(("folds", "seeds", "jobs", "out"), StudyConfig)
@config_options(OF_RUNS)
@continued_options(
    "FTCORE_DEPTH_CONFIG",
    "YAML file of options; flags and environment go before it.",
    "Go on with the sweep in this folder.",
    "Print the depths that it would try; stop.",
)
@click.pass_obj
def command(
    plugins: Plugins,
    /,
    *,
    depths: str,
    config_file: Path | None,
    resume: Path | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
    **options: Any,
) -> None:
    """Freeze more and more of a backbone, from nothing to all, and say how deep to freeze.

    The curve is the first metric with its interval against the number of frozen stages, beside
    what training costs. Recommended is the depth of the fewest operations among those that are not
    shown worse than the best: paired on the same test examples, p corrected by Holm's method. More
    --seeds or --folds show more. Everything goes into a new folder below --out, from which a sweep
    that was stopped or killed goes on.
    """
    from ftcore import api
    from ftcore.cli.progress import observing

    with observing(quiet=quiet or dry_run, verbose=verbose) as observer:
        if resume is not None:
            refuse_flags()
            record = api.resume_depth(resume, plugins=plugins, observer=observer)
        else:
            config = StudyConfig.of(*values_of(config_file, options))
            if dry_run:
                _print_plan(config, depths, plugins)
                return
            record = api.depth(config, depths=depths, plugins=plugins, observer=observer)
    print_depth(record, as_json=as_json)
    check_failures(record.study, "depth")


def _print_plan(config: StudyConfig, asked: str, plugins: Plugins) -> None:
    from ftcore import api
    from ftcore.studies.plan import plan_runs

    planned, depths = api.plan_depths(config, depths=asked, plugins=plugins)
    for each, cell in zip(depths, plan_runs(planned), strict=True):
        what = f"{each.frozen} frozen, up to {each.stage}" if each.stage else "0 frozen"
        count = len(cell.members)
        click.echo(f"{each.freeze}: {what}; {count} run{'s' if count > 1 else ''}")
