"""Options shared by commands: one for each field of the configuration, made from that field."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ftcore.config import RunConfig, read_yaml
from ftcore.errors import UsageError

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress, only the result.")
verbose_option = click.option("-v", "--verbose", is_flag=True, help="More lines on the way.")


def config_options(
    names: Collection[str] = (), of: type[BaseModel] = RunConfig, *, repeatable: bool = False
) -> Callable[[Command], Command]:
    """Return a decorator that adds an option for each field of `of` in `names`, or for all.

    Where they are `repeatable`, an option that is given more than once has several values.
    """

    def decorate(command: Command) -> Command:
        for name, field in reversed(of.model_fields.items()):
            if not names or name in names:
                command = _option(name, field, repeatable)(command)
        return command

    return decorate


def continued_options(
    variable: str, file: str, folder: str, dry_run: str
) -> Callable[[Command], Command]:
    """Return a decorator that adds what all commands have that train, and can be gone on with.

    These are --config, also read from the environment's `variable`, --resume, --dry-run, --json,
    --quiet and --verbose; the first three have their help from `file`, `folder` and `dry_run`.
    """
    kind = click.Path(path_type=Path)
    options = (
        click.option("--config", "config_file", envvar=variable, type=kind, help=file),
        click.option("--resume", type=kind, help=folder),
        click.option("--dry-run", is_flag=True, help=dry_run),
        json_option,
        quiet_option,
        verbose_option,
    )

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def values_of(file: Path | None, options: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the values of a YAML file under the given options, and their source."""
    values = read_yaml(file) if file else {}
    return {**values, **given(options)}, str(file) if file else "the options"


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


def given(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that the user gave, by flag or environment; the rest keep defaults."""
    return {name: value for name, value in options.items() if value not in (None, ())}


def _option(name: str, field: FieldInfo, repeatable: bool) -> Callable[[Command], Command]:
    multiple = repeatable or typing.get_origin(field.annotation) is tuple
    default = None if field.is_required() else field.default
    shown = str(default) if default not in (None, (), "") else False
    return click.option(
        "--" + name.replace("_", "-"),
        name,
        type=_type(field.annotation),
        multiple=multiple,
        default=None,
        show_default=shown,
        help=field.description,
    )


def _type(annotation: Any) -> click.ParamType[Any] | type:
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        kinds = [kind for kind in typing.get_args(annotation) if kind is not type(None)]
        # What a number or a word may be is for the configuration to say.
        return _type(kinds[0]) if len(kinds) == 1 else str
    if origin is typing.Annotated or origin is tuple:
        return _type(typing.get_args(annotation)[0])
    if origin is typing.Literal:
        return click.Choice(typing.get_args(annotation))
    if annotation is Path:
        return click.Path(path_type=Path)
    return annotation if annotation in (int, float) else str
