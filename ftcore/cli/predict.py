"""`ftcore predict`: what a finished run says of new files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ftcore.cli.options import json_option, quiet_option
from ftcore.errors import UsageError

if TYPE_CHECKING:
    from ftcore.api import Prediction
    from ftcore.plugins import Plugins

FIELDS = ("id", "prediction", "confidence")


@click.command("predict", short_help="Predict new files with a finished run.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write a .csv or .jsonl file, not a table."
)
@click.option(
    "--calibrated", is_flag=True, help="Confidences at the temperature that the run fitted on val."
)
@json_option
@quiet_option
@click.pass_obj
def command(
    plugins: Plugins,
    run: Path,
    paths: Sequence[Path],
    *,
    out: Path | None,
    calibrated: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Predict every example in PATHS, files or folders, with the finished run in RUN."""
    from ftcore import api
    from ftcore.cli.progress import observing
    from ftcore.engine.storage import write_text

    if out is not None and out.suffix not in (".csv", ".jsonl"):
        raise UsageError(f"--out {out} must end in .csv or .jsonl")
    with observing(quiet=quiet) as observer:
        predictions = api.predict(
            run, paths, calibrated=calibrated, plugins=plugins, observer=observer
        )
    if out is not None:
        write_text(out, _csv(predictions) if out.suffix == ".csv" else _jsonl(predictions))
        if not quiet:
            click.echo(f"{len(predictions)} predictions written to {out}", err=True)
    if as_json:
        rows = [asdict(prediction) for prediction in predictions]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    elif out is None:
        _print_table(predictions)


def _csv(predictions: Sequence[Prediction]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(prediction) for prediction in predictions)
    return text.getvalue()


def _jsonl(predictions: Sequence[Prediction]) -> str:
    return "".join(json.dumps(asdict(p), ensure_ascii=False) + "\n" for p in predictions)


def _print_table(predictions: Sequence[Prediction]) -> None:
    width = max((len(str(p.prediction)) for p in predictions), default=0)
    for p in predictions:
        confidence = "" if p.confidence is None else f"{p.confidence:.3f}"
        click.echo(f"{p.prediction!s:<{width}}  {confidence:>5}  {p.id}")
