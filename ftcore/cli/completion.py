"""`ftcore completion`: the script that makes a shell complete ftcore's commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ftcore.cli.entry import COMPLETE_VARIABLE


@click.command("completion", short_help="Print a shell's completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    Load it where your shell starts, for bash with: eval "$(ftcore completion bash)"
    """
    completion = get_completion_class(shell)
    assert completion is not None, shell
    root = context.find_root().command
    click.echo(completion(root, {}, "ftcore", COMPLETE_VARIABLE).source())
