"""`ftcore list`: the names that may be given to --backbone, --freeze, --dataset and so on."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from typing import Any, get_args

import click

from ftcore.cli.options import json_option
from ftcore.plugins import Kind, Plugins
from ftcore.registry import Entry, Option

KINDS = [kind for kind in get_args(Kind) if kind != "commands"]

# Parameters that `ftcore run` sets itself, by options of its own.
_SET_BY_RUN = {"backbones": {"weights", "input_shape", "image_size"}}


@click.command("list", short_help="List the names that a run may use.")
@click.argument("kind", type=click.Choice(KINDS))
@json_option
@click.pass_obj
def command(plugins: Plugins, kind: Kind, *, as_json: bool) -> None:
    """List what KIND a run may name, with options and their defaults.

    In a pipe: one name a line.
    """
    plugins.load_all()
    if as_json:
        described = [_describe(entry, kind, plugins) for entry in plugins[kind]]
        click.echo(json.dumps(described, indent=2, ensure_ascii=False))
    elif sys.stdout.isatty():
        click.echo(_table(plugins, kind), nl=False)
    else:
        for entry in plugins[kind]:
            click.echo(entry.name)


def _table(plugins: Plugins, kind: Kind) -> str:
    """Return specs with their defaults beside their summaries, plugin by plugin."""
    formatter = click.HelpFormatter(max_width=100)
    for plugin in plugins:
        entries = [entry for entry in plugins[kind] if entry.plugin == plugin.name]
        if entries:
            title = plugin.name if plugin.is_default else f"{plugin.name} ({plugin.distribution})"
            with formatter.section(title):
                rows = [(_spec(entry, kind), entry.summary) for entry in entries]
                formatter.write_dl(rows, col_max=formatter.width // 3)
    return formatter.getvalue().lstrip("\n")


def _spec(entry: Entry[Any], kind: Kind) -> str:
    options = ",".join(f"{option.name}={_shown(option)}" for option in _options(entry, kind))
    return f"{entry.name}:{options}" if options else entry.name


def _shown(option: Option) -> str:
    """The default as one would type it, floats to four digits."""
    if option.is_required:
        return "…"
    if isinstance(option.default, (bool, type(None))):
        return str(option.default).lower()
    return f"{option.default:.4g}" if isinstance(option.default, float) else str(option.default)


def _options(entry: Entry[Any], kind: Kind) -> Iterator[Option]:
    return (option for option in entry.options if option.name not in _SET_BY_RUN.get(kind, ()))


def _describe(entry: Entry[Any], kind: Kind, plugins: Plugins) -> dict[str, Any]:
    distribution = next(p.distribution for p in plugins if p.name == entry.plugin)
    return {
        "name": entry.name,
        "summary": entry.summary,
        "options": [
            {
                "name": option.name,
                "type": inspect.formatannotation(option.annotation),
                "required": option.is_required,
                "default": None if option.is_required else _json_value(option.default),
            }
            for option in _options(entry, kind)
        ],
        "plugin": entry.plugin,
        "distribution": distribution,
    }


def _json_value(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
