"""The `ftcore` group: its own commands and those of plugins, each made when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any

import click

from ftcore.errors import FtcoreError, PluginError, UsageError
from ftcore.plugins import Plugins, describe

_BUILT_IN = "ftcore"


class CommandGroup(click.Group):
    """A group whose commands are in the registry `plugins.commands`.

    `table` says where the built-in ones are: name -> "module:attribute". They are registered
    before any plugin is loaded, so that no plugin can take their names.
    """

    def __init__(
        self, name: str, *, plugins: Plugins, table: Mapping[str, str], **attributes: Any
    ) -> None:
        super().__init__(name, **attributes)
        self.plugins = plugins
        register = plugins.commands.registrar(_BUILT_IN)
        for command, target in table.items():
            if command not in plugins.commands:
                register(command, partial(_import, target))
        self._built_in = tuple(table)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the built-in commands in the order of the table, then those of plugins."""
        if not ctx.resilient_parsing:  # a shell that completes a word should not wait for plugins
            self.plugins.load_all()
        others = {entry.name for entry in self.plugins.commands} - set(self._built_in)
        return [*self._built_in, *sorted(others)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, or None where neither ftcore nor a plugin has it."""
        try:
            entry = self.plugins.entry("commands", cmd_name)
        except UsageError:
            return None
        command: click.Command = entry.factory()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` begin with; UsageError names those near an unknown one."""
        if not ctx.resilient_parsing:
            self.plugins.entry("commands", args[0])
        return super().resolve_command(ctx, args)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return --help, read after --no-plugins wherever that stands."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.is_eager = False
        return option

    def invoke(self, ctx: click.Context) -> None:
        """Run the command; PluginError where a plugin's command breaks."""
        try:
            super().invoke(ctx)
        except (
            FtcoreError,
            click.ClickException,
            click.exceptions.Exit,
            click.Abort,
            BrokenPipeError,
        ):
            raise
        except Exception as error:  # a border: a plugin's own command
            name = ctx.invoked_subcommand or ""
            plugin = self.plugins.entry("commands", name).plugin
            if plugin == _BUILT_IN:
                raise
            raise PluginError(
                f"command {name!r} of plugin {plugin!r} failed: {describe(error)}"
            ) from error


def _import(target: str) -> click.Command:
    module, _, attribute = target.partition(":")
    command: click.Command = getattr(import_module(module), attribute)
    return command
