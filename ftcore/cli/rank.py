"""`ftcore rank`: which pretrained model?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ftcore.cli.options import config_options, given, json_option, quiet_option, verbose_option
from ftcore.cli.output import terminal_width
from ftcore.studies.ranking.config import SHARED, RankConfig

if TYPE_CHECKING:
    from ftcore.plugins import Plugins


@click.command("rank", short_help="Say which pretrained backbone suits a dataset.")
@config_options(of=RankConfig)
@config_options(SHARED)
@json_option
@quiet_option
@verbose_option
@click.pass_obj
def command(
    plugins: Plugins, /, *, as_json: bool, quiet: bool, verbose: bool, **options: Any
) -> None:
    """Rank pretrained backbones on a dataset by scores that need no training, beside their cost.

    Each backbone looks once at the train and val parts, never at the test part. --verify N then
    fine-tunes the best N as ftcore run does with the same options, chooses on the val part, and
    says how well the scores ranked. A backbone that fails is named; the exit code is then 1.
    """
    from ftcore import api
    from ftcore.cli.progress import observing
    from ftcore.reports.ranking import render_ranking

    with observing(quiet=quiet, verbose=verbose) as observer:
        record = api.rank(plugins=plugins, observer=observer, **given(options))
    if as_json:
        click.echo(record.model_dump_json(indent=2))
    else:
        for line in render_ranking(record, terminal_width()):
            click.echo(line)
    api.check_ranked(record)
