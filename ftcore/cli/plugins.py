"""`ftcore plugins`: what is installed, whether it works, and a start for a new one."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import Any

import click

from ftcore.cli.options import json_option, verbose_option
from ftcore.errors import PluginError
from ftcore.plugins import Plugin, Plugins


@click.group("plugins")
def command() -> None:
    """Show, check and start plugins."""


@command.command("list")
@json_option
@click.pass_obj
def list_(plugins: Plugins, *, as_json: bool) -> None:
    """List the installed plugins; none is loaded for it."""
    if as_json:
        click.echo(json.dumps([_describe(plugin) for plugin in plugins], indent=2))
        return
    rows = [(p.name, f"{p.distribution} {p.version}", p.target, p.state) for p in plugins]
    if not rows:
        click.echo("No plugin is installed.")
    widths = [max(len(row[column]) for row in rows) for column in range(4)] if rows else []
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


@command.command()
@click.argument("name", required=False)
@json_option
@verbose_option
@click.pass_obj
def check(plugins: Plugins, name: str | None, *, as_json: bool, verbose: bool) -> None:
    """Load every plugin, or those of NAME (a plugin or a distribution), and say what is wrong.

    Exits 3 if one fails. With -v the traceback of each failure is shown.
    """
    checked = plugins.select(name) if name else list(plugins)
    for plugin in checked:
        plugins.load(plugin)
        if not as_json:
            _show(plugin)
        if verbose and plugin.cause:
            click.echo("".join(traceback.format_exception(plugin.cause)), err=True)
    if as_json:
        click.echo(json.dumps([_describe(plugin) for plugin in checked], indent=2))
    failed = [plugin.name for plugin in checked if plugin.state == "failed"]
    if failed:
        raise PluginError(f"{len(failed)} of {len(checked)} plugins failed: {', '.join(failed)}")


@command.command()
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["backbone", "freezing", "dataset", "metric", "task"]),
    required=True,
    help="What the plugin gives.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Folder in which the package's folder is made.  [default: here]",
)
@click.pass_obj
def new(plugins: Plugins, name: str, *, kind: str, out: Path) -> None:
    """Write a package that gives ftcore the KIND called NAME, with its test.

    It installs and passes as written; make it yours from there.
    """
    from ftcore.cli.scaffold import write_package

    folder = write_package(plugins, name, kind, out)
    click.echo(f"{folder} is a complete package. Next:")
    click.echo(f"  pip install -e {folder}")
    click.echo(f"  pytest {folder}")
    click.echo(f"  ftcore plugins check {folder.name}")


def _show(plugin: Plugin) -> None:
    owner = f"{plugin.name} ({plugin.distribution} {plugin.version})".replace(" )", ")")
    if plugin.state == "failed":
        click.echo(f"failed    {owner}: {plugin.error}\n          {plugin.remedy}")
        return
    gives = "; ".join(f"{kind} {_some(names)}" for kind, names in plugin.provides.items())
    seconds = "" if plugin.seconds is None else f" in {plugin.seconds:.2f} s"
    state = "ok" if plugin.state == "loaded" else plugin.state
    click.echo(f"{state:<8}  {owner}{seconds}{': ' if gives else ''}{gives}")


def _some(names: tuple[str, ...]) -> str:
    if len(names) <= 5:
        return ", ".join(names)
    return f"{', '.join(names[:3])} and {len(names) - 3} more"


def _describe(plugin: Plugin) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "target": plugin.target,
        "in_the_box": plugin.is_default,
        "state": plugin.state,
        "seconds": plugin.seconds,
        "provides": {kind: list(names) for kind, names in plugin.provides.items()},
        "error": plugin.error or None,
        "remedy": plugin.remedy if plugin.state == "failed" else None,
    }
