"""Puts the command line together and runs it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ftcore import __version__
from ftcore.cli.border import exit_code_of, warnings_on_stderr
from ftcore.cli.group import CommandGroup

if TYPE_CHECKING:
    from ftcore.plugins import Plugins

# name -> where it is; imported when it runs, or when the help names it
COMMANDS = {
    "run": "ftcore.cli.run:command",
    "study": "ftcore.cli.study:command",
    "depth": "ftcore.cli.depth:command",
    "compare": "ftcore.cli.compare:command",
    "evaluate": "ftcore.cli.evaluate:command",
    "predict": "ftcore.cli.predict:command",
    "rank": "ftcore.cli.rank:command",
    "data": "ftcore.cli.data:command",
    "cache": "ftcore.cli.cache:command",
    "list": "ftcore.cli.list:command",
    "plugins": "ftcore.cli.plugins:command",
    "doctor": "ftcore.cli.doctor:command",
    "build": "ftcore.cli.build:command",
    "completion": "ftcore.cli.completion:command",
}
COMPLETE_VARIABLE = "_FTCORE_COMPLETE"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `arguments`, by default those of the process, and return the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    # Looked for in the arguments themselves, since a command may fail while it reads its options.
    verbose = os.environ.get("FTCORE_DEBUG") == "1" or bool({"-v", "--verbose"} & set(given))
    with warnings_on_stderr():
        return exit_code_of(lambda: _run(given), verbose=verbose)


def build_cli(plugins: Plugins) -> click.Group:
    """Return the command line over `plugins`, which a command gets by `click.pass_obj`."""

    def leave_out(context: click.Context, parameter: click.Parameter, is_set: bool) -> None:
        if is_set:
            plugins.disable_third_party()

    @click.group(
        "ftcore",
        cls=CommandGroup,
        plugins=plugins,
        table=COMMANDS,
        context_settings={
            "obj": plugins,
            "auto_envvar_prefix": "FTCORE",
            "help_option_names": ["-h", "--help"],
        },
    )
    @click.version_option(__version__, message="%(prog)s %(version)s")
    @click.option(
        "--no-plugins",
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=leave_out,
        help="Use only what ships with ftcore.",
    )
    def cli() -> None:
        """Fine-tune a pretrained model, and know with error bars whether it worked."""

    return cli


def _run(arguments: list[str]) -> None:
    from ftcore.plugins import plugin_manager

    cli = build_cli(plugin_manager())
    instruction = os.environ.get(COMPLETE_VARIABLE)
    if instruction:
        from click.shell_completion import shell_complete

        code = shell_complete(cli, {}, "ftcore", COMPLETE_VARIABLE, instruction)
        raise click.exceptions.Exit(code)
    with cli.make_context("ftcore", arguments) as context:
        cli.invoke(context)
