"""`ftcore compare`: whether runs or studies differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ftcore.cli.options import json_option
from ftcore.cli.output import print_comparison

if TYPE_CHECKING:
    from ftcore.plugins import Plugins


@click.command("compare", short_help="Say whether one run or study is better than another.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--metric", multiple=True, help="Metric; may be repeated, the first one decides.")
@json_option
@click.pass_obj
def command(
    plugins: Plugins, /, paths: tuple[Path, ...], metric: tuple[str, ...], *, as_json: bool
) -> None:
    """Hold runs or studies, in the folders PATHS, against the first of them.

    They must have been tested on the same examples. The configurations of a study count as one
    each. Of two runs the difference is tested by McNemar's test (for metrics such as accuracy)
    and by a paired bootstrap, of several seeds with their spread, and over folds by the corrected
    resampled t-test; for more than two p-values are corrected by Holm's method.
    """
    from ftcore import api

    print_comparison(api.compare(*paths, metric=metric, plugins=plugins), as_json=as_json)
